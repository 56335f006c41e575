import { assign, fromCallback, setup } from 'xstate'
import type { ExecutionContext, ExecutionStamped, ExecutionStart } from './execution-events.ts'

/** Stands for work that the engine does: the pure step only reports that it was asked for. */
const effect = fromCallback<ExecutionStamped>(() => {})

const execution = setup({
  types: {
    context: {} as ExecutionContext,
    events: {} as ExecutionStamped,
    input: {} as ExecutionStart,
  },
  actors: { runCommand: effect },
  actions: {
    recordEnd: assign({
      outcome: ({ event }) => {
        if (event.type !== 'exec.ended') return null
        const { exitCode, signal, reason, at } = event
        return {
          exitCode,
          ...(signal === undefined ? {} : { signal }),
          ...(reason === undefined ? {} : { reason }),
          at,
        }
      },
    }),
    recordLoss: assign({
      outcome: ({ event }) =>
        event.type === 'exec.lost' ? { exitCode: null, reason: event.reason, at: event.at } : null,
    }),
  },
})

/** The life of an execution: a command that is run in a box that is up. */
export const executionMachine = execution.createMachine({
  id: 'execution',
  context: ({ input: { id, box, incarnation, at } }) => ({
    id,
    box,
    incarnation,
    startedAt: at,
    outcome: null,
  }),
  initial: 'running',
  states: {
    running: {
      description: 'Recorded, and being run',
      invoke: { id: 'runCommand', src: 'runCommand' },
      on: {
        'exec.ended': { target: 'ended', actions: 'recordEnd' },
        'exec.lost': { target: 'lost', actions: 'recordLoss' },
      },
    },
    ended: { description: 'Its process has ended, and how is known', type: 'final' },
    lost: {
      description: 'Nobody knows how it ended: its box, or its engine, did so before. It is never run again',
      type: 'final',
    },
  },
})
