import { commands } from './event-order.ts'
import { casesOf, leavesOf, type MachineState } from './graph.ts'

type Command = (typeof commands)[number]

export interface Acceptance {
  readonly state: string
  /** `partly`: a guard or the finer state decides */
  readonly accepts: Readonly<Record<Command, 'yes' | 'no' | 'partly'>>
}

/** Which commands each public state takes. */
export function acceptanceOf(machine: MachineState): Acceptance[] {
  return machine.children.map(state => ({
    state: state.path,
    accepts: Object.fromEntries(
      commands.map(command => [command, answerOf(state, command)]),
    ) as Acceptance['accepts'],
  }))
}

function answerOf(state: MachineState, command: string): 'yes' | 'no' | 'partly' {
  const answers = leavesOf(state).map(leaf => {
    const found = casesOf(leaf === state ? [state] : [leaf, state], command)
    if (found.length === 0) return 'no'
    return found.some(({ guard }) => guard === undefined) ? 'yes' : 'partly'
  })
  const [first = 'no'] = answers
  return answers.every(answer => answer === first) ? first : 'partly'
}
