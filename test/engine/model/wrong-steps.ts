import { type BoxState, step } from 'boxledger/machines'
import { stepFrom, stepTo } from '../../testing/faulty.ts'

const withContext = (state: BoxState, context: Partial<BoxState['context']>): BoxState => ({
  ...state,
  context: { ...state.context, ...context },
})

/** Machines that are wrong in one thing each. */
export const wrongSteps: Readonly<Record<string, typeof step>> = {
  'a policy that does not count its tries': stepFrom(state =>
    withContext(state, { restart: { ...state.context.restart, attempts: 0 } }),
  ),
  'a row of tries that a long run does not end': stepFrom((state, event) =>
    event.type === 'vmm.exited' ? withContext(state, { startedAt: null }) : state,
  ),
  'a stop that is forgotten by the time the VMM has ended': stepFrom((state, event) =>
    event.type === 'vmm.exited' ? withContext(state, { stop: null }) : state,
  ),
  'a rename that is recorded and not done': stepTo((transition, event) =>
    event.type === 'box.renamed'
      ? { ...transition, state: withContext(transition.state, { name: null }) }
      : transition,
  ),
  'a reboot of the host that is taken for a crash': (state, event, input) => {
    if (event.type !== 'host.rebooted') return step(state, event, input)
    const { incarnation } = event
    const exited = { type: 'vmm.exited', incarnation, spawned: true, last: 'none', noShutdown: true } as const
    return step(state, exited, input)
  },
}
