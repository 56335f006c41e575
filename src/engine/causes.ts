import { type BoxEvent, type BoxFact, type Head, isCommand } from '../machines/index.ts'

/** Whether the box's last record led to an event: it had asked for something, and no new command came in. */
export function led(head: Head | undefined, event: BoxEvent): head is Head {
  if (head === undefined || isCommand(event)) return false
  return event.type === 'timer.fired' || Object.keys(head.state.effects).length > 0
}

const answers: ReadonlySet<BoxFact['type']> = new Set<BoxFact['type']>([
  'vmm.adopted',
  'vmm.exited',
  'host.rebooted',
  'box.unknown',
])

/** Whether a fact says what became of a box that the host was asked about. */
export function answersLook(fact: BoxFact): boolean {
  return answers.has(fact.type)
}
