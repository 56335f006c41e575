import {
  type BoxFact,
  isCommand,
  isExecutionEvent,
  type StreamEvent,
  type StreamHead,
} from '../machines/index.ts'

/** Whether the stream's last record led to an event: it had asked for something, and no new command came in. */
export function led(head: StreamHead | undefined, event: StreamEvent): head is StreamHead {
  if (head === undefined || (!isExecutionEvent(event) && isCommand(event))) return false
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
