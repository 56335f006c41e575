import { fromCallback, setup } from 'xstate'
import type { StampedEvent } from '../events.ts'
import type { BoxContext, BoxTag } from '../state.ts'
import { actions } from './actions.ts'
import type { Created } from './context.ts'
import { guards } from './guards.ts'
import { guestReadyLimit, halfOfGrace, memoryLimit, saveLimit } from './limits.ts'

/** Stands for work that the engine does: the pure step only reports that it was asked for. */
const effect = fromCallback<StampedEvent>(() => {})

/** What the machine is made of beside its states. */
export const box = setup({
  types: {
    context: {} as BoxContext,
    events: {} as StampedEvent,
    input: {} as Created,
    tags: {} as BoxTag,
  },
  actors: {
    queueStart: effect,
    prepareFiles: effect,
    spawnVmm: effect,
    awaitVmm: effect,
    createVm: effect,
    bootVm: effect,
    awaitGuest: effect,
    pauseVm: effect,
    resumeVm: effect,
    saveVm: effect,
    releaseVm: effect,
    commitSnapshot: effect,
    restoreVm: effect,
    pressButton: effect,
    cutPower: effect,
    closeVmm: effect,
    terminateVmm: effect,
    killVmm: effect,
    lookAtVmm: effect,
    scheduleRestart: effect,
    removeFiles: effect,
  },
  delays: {
    vmmReadyLimit: 10_000,
    createLimit: 60_000,
    bootLimit: 60_000,
    guestReadyLimit,
    pauseLimit: 5_000,
    saveLimit: ({ context }) => saveLimit(context),
    restoreLimit: ({ context }) => memoryLimit(context.spec),
    releaseLimit: 30_000,
    halfGrace: ({ context, event }) => halfOfGrace(context.stop, event.at),
    cutLimit: 10_000,
    closeLimit: 5_000,
    terminateLimit: 5_000,
    killLimit: 5_000,
    removeRetry: 5_000,
    restartDelay: ({ context }) => context.restart.delayMs ?? 0,
  },
  guards,
  actions,
})
