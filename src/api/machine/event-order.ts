import type { MachineState } from './graph.ts'

/** Commands, in the order in which people meet them. */
export const commands = [
  'start.requested',
  'stop.requested',
  'restart.requested',
  'pause.requested',
  'resume.requested',
  'snapshot.requested',
  'snapshot.removal.requested',
  'remove.requested',
  'box.renamed',
  'box.resolved',
] as const

/** Types of the events that have a case in one of these states: commands, facts, and what comes with time. */
export function eventsOf(states: readonly MachineState[]): string[] {
  return [...new Set(states.flatMap(({ moves }) => moves.map(move => move.event)))].sort(byKind)
}

function byKind(a: string, b: string): number {
  const rank = (event: string) => {
    const command = (commands as readonly string[]).indexOf(event)
    if (command >= 0) return command
    if (event === 'always') return 200
    return event.startsWith('after ') ? 150 : 100
  }
  return rank(a) - rank(b) || a.localeCompare(b, 'en')
}
