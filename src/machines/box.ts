import { and, assign, fromCallback, setup } from 'xstate'
import { causeAfterReboot, type Ending, endingOf, failureFields, stateAfter } from './ending.ts'
import type { BoxCommand, Exit, StampedEvent } from './events.ts'
import { hasRetriesLeft, isRebootLoop, recentReboots, restartsAfter } from './policy.ts'
import { type BoxSpec, defaultBackoff, readyOf, type StopMode } from './spec.ts'
import type { BoxContext, BoxTag, SeenOfGuest, StopIntent } from './state.ts'

type Created = Extract<BoxCommand, { type: 'box.created' }> & { readonly at: number }
type Args = { context: BoxContext; event: StampedEvent }

/** Stands for work that the engine does: the pure step only reports that it was asked for. */
const effect = fromCallback<StampedEvent>(() => {})

const modes: readonly StopMode[] = ['graceful', 'force', 'kill']
const isStronger = (a: StopMode, b: StopMode) => modes.indexOf(a) > modes.indexOf(b)

/** How long a start waits for its guest, in `ms`. */
const guestReadyLimit = 60_000

const nothingSeen: SeenOfGuest = {
  ready: false,
  readyAt: null,
  poweredOff: false,
  panicked: false,
  commandExit: null,
}

/** XState calls the factory without an input too, when it sets itself up. */
const contextOf = ({ input }: { input: Created | undefined }): BoxContext => ({
  id: input?.id ?? '',
  name: input?.name ?? null,
  labels: input?.labels ?? {},
  spec: input?.spec as BoxSpec,
  createdAt: input?.at ?? 0,
  incarnation: 0,
  open: false,
  process: null,
  vmmVersion: null,
  startedAt: null,
  stop: null,
  next: null,
  failure: null,
  seen: nothingSeen,
  ending: null,
  restart: { count: 0, attempts: 0, due: false, delayMs: null },
  reboots: { count: 0, recent: [] },
  unknownReason: null,
  eventOffset: 0,
})

const newIncarnation = ({ restart, reboots }: BoxContext): Partial<BoxContext> => ({
  open: true,
  process: null,
  vmmVersion: null,
  startedAt: null,
  stop: null,
  next: null,
  failure: null,
  seen: nothingSeen,
  ending: null,
  unknownReason: null,
  eventOffset: 0,
  restart: { ...restart, due: false, delayMs: null },
  reboots: { ...reboots, recent: [] },
})

const unseenExit: Exit = { spawned: true, last: 'none', noShutdown: true }

const stopIntent = (context: BoxContext, event: StampedEvent, cause: StopIntent['cause']): StopIntent => {
  const asked = event.type === 'stop.requested' ? event : undefined
  return {
    mode: asked?.mode ?? 'graceful',
    timeoutMs: asked?.timeoutMs ?? context.spec.stopTimeoutMs,
    cause,
    ...(asked?.reason === undefined ? {} : { reason: asked.reason }),
  }
}

const failure = (code: string, message: string): Partial<BoxContext> => ({ failure: { code, message } })

/** An ending that left no evidence; a stop that was asked for colours it too. */
const unseenEnding = (context: BoxContext, at: number, cause: 'host-reboot' | 'unknown'): Ending => {
  const ending = endingOf(context, unseenExit, at)
  return ending.cause === 'requested' ? ending : { ...ending, cause }
}

/** How an incarnation ends by `event`. */
const endingBy = ({ context, event }: Args): Ending => {
  switch (event.type) {
    case 'vmm.exited':
      return endingOf(context, event, event.at)
    case 'host.rebooted':
      return { ...endingOf(context, unseenExit, event.at), cause: causeAfterReboot(context) }
    case 'start.failed':
      return { cause: 'boot-failed', at: event.at, ...failureFields(event) }
    case 'stop.requested':
      return {
        cause: 'requested',
        at: event.at,
        ...(event.reason === undefined ? {} : { message: event.reason }),
      }
    case 'remove.requested':
      return { cause: 'requested', at: event.at }
    default:
      return unseenEnding(context, event.at, 'unknown')
  }
}

/** Starts in a row before this ending; a run that was long enough makes the next one the first again. */
const attemptsBefore = (context: BoxContext, at: number) => {
  const { restart, spec } = context
  const { resetAfterMs } = spec.restart.backoff ?? defaultBackoff
  return at - (runningSince(context) ?? at) >= resetAfterMs ? 0 : restart.attempts
}

/** A boot is no run, however long it takes. */
const runningSince = ({ spec, seen, startedAt }: BoxContext) => {
  if (startedAt === null || readyOf(spec) === 'vmm') return startedAt
  return seen.readyAt ?? startedAt + guestReadyLimit
}

const restartIsDueAfter = (args: Args) =>
  restartsAfter(args.context.spec.restart, endingBy(args)) &&
  hasRetriesLeft(args.context.spec.restart, attemptsBefore(args.context, args.event.at))

/**
 * The life of a box, whole: legality lives here and nowhere else. An invocation means "this effect runs while we are
 * here"; a delay is a durable timer. Both are data to the engine, which owns them.
 */
export const boxMachine = setup({
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
    halfGrace: ({ context }) => Math.ceil((context.stop?.timeoutMs ?? 0) / 2),
    cutLimit: 10_000,
    closeLimit: 5_000,
    terminateLimit: 5_000,
    killLimit: 5_000,
    removeRetry: 5_000,
    restartDelay: ({ context }) => context.restart.delayMs ?? 0,
  },
  guards: {
    isOver: ({ context }) => !context.open,
    restartWanted: ({ context }) => context.next === 'start',
    stopWanted: ({ context }) => context.stop?.cause === 'requested',
    restartIsDue: ({ context }) => context.restart.due,
    goesAway: args =>
      args.context.next === 'remove' || (args.context.spec.autoRemove && !restartIsDueAfter(args)),
    removesItself: ({ context }) => context.spec.autoRemove,
    endsStopped: args => stateAfter(endingBy(args).cause) === 'stopped',
    endsFailed: args => stateAfter(endingBy(args).cause) === 'failed',
    endedByItself: ({ context, event }) =>
      context.seen.poweredOff ||
      context.seen.commandExit !== null ||
      (event.type === 'vmm.exited' && event.commandExitCode !== undefined),
    isForced: ({ event }) => event.type === 'remove.requested' && event.force,
    asksKill: ({ event }) => event.type === 'stop.requested' && event.mode === 'kill',
    asksForce: ({ event }) => event.type === 'stop.requested' && event.mode === 'force',
    asksStrongerKill: ({ context, event }) =>
      event.type === 'stop.requested' &&
      event.mode === 'kill' &&
      isStronger(event.mode, context.stop?.mode ?? 'graceful'),
    asksStrongerForce: ({ context, event }) =>
      event.type === 'stop.requested' &&
      event.mode === 'force' &&
      isStronger(event.mode, context.stop?.mode ?? 'graceful'),
    isUnasked: ({ context }) => context.stop?.cause !== 'requested',
    isForOwner: ({ event }) => event.type === 'stop.requested' && event.reason !== undefined,
    beatsRestart: ({ context, event }) => event.type === 'stop.requested' && context.next === 'start',
    readyAtBoot: ({ context }) => readyOf(context.spec) === 'vmm',
    rungFailed: ({ event }) => event.type === 'stop.rung' && event.result === 'failed',
    vmRuns: ({ event }) => event.type === 'vmm.adopted' && event.vm === 'running',
    vmPaused: ({ event }) => event.type === 'vmm.adopted' && event.vm === 'paused',
    vmAbsent: ({ event }) => event.type === 'vmm.adopted' && (event.vm === 'none' || event.vm === 'created'),
    isStopping: ({ context }) => context.stop !== null || context.failure !== null,
    isRemoving: ({ context }) => context.next === 'remove',
    loops: ({ context, event }) =>
      event.type === 'guest.rebooted' &&
      isRebootLoop(recentReboots(context.reboots.recent, event.at, event.count)),
    neverRan: ({ context }) => context.startedAt === null,
    mayLive: ({ context, event }) => context.open || (event.type === 'incarnation.found' && event.lives),
  },
  actions: {
    rename: assign(({ event }) => (event.type === 'box.renamed' ? { name: event.name } : {})),
    openIncarnation: assign(({ context }) => ({
      incarnation: context.incarnation + 1,
      ...newIncarnation(context),
    })),
    countIncarnation: assign(({ event }) =>
      event.type === 'incarnation.found' ? { incarnation: event.incarnation } : {},
    ),
    openFound: assign(({ context, event }) =>
      event.type === 'incarnation.found'
        ? {
            ...newIncarnation(context),
            incarnation: event.incarnation,
            process: event.process,
            next: context.next === 'remove' ? 'remove' : null,
            unknownReason: 'the ledger does not know this incarnation',
          }
        : {},
    ),
    countRestart: assign(({ context }) => ({
      restart: {
        ...context.restart,
        count: context.restart.count + 1,
        attempts: context.restart.attempts + 1,
      },
    })),
    recordDelay: assign(({ context, event }) =>
      event.type === 'restart.scheduled' ? { restart: { ...context.restart, delayMs: event.delayMs } } : {},
    ),
    giveUpRestart: assign(({ context }) => ({ restart: { ...context.restart, due: false, delayMs: null } })),
    forgetAttempts: assign(({ context }) => ({ restart: { ...context.restart, attempts: 0 } })),
    recordEnding: assign(args => ({
      ending: endingBy(args),
      open: false,
      restart: {
        ...args.context.restart,
        attempts: attemptsBefore(args.context, args.event.at),
        due: restartIsDueAfter(args),
        delayMs: null,
      },
      process: null,
      stop: null,
      failure: null,
      unknownReason: null,
    })),
    noteFailure: assign(({ event }) =>
      event.type === 'start.failed'
        ? {
            failure: {
              code: event.code,
              message: event.message,
              ...(event.details ? { details: event.details } : {}),
            },
          }
        : {},
    ),
    noteNoStart: assign(failure('VMM_START_FAILED', 'The VMM ended before its socket answered')),
    noteNoBoot: assign(failure('BOOT_FAILED', 'The VMM ended before the VM had booted')),
    noteGone: assign(failure('VMM_GONE', 'The VMM ended after the boot and before the guest was ready')),
    noteSilent: assign(failure('VMM_TIMEOUT', "The VMM's socket did not answer within 10 s")),
    noteSlowBoot: assign(failure('BOOT_FAILED', 'The VM was not created and booted within 60 s')),
    noteLostStart: assign(failure('BOOT_FAILED', 'The start could not be followed to its end')),
    recordProcess: assign(({ event }) =>
      event.type === 'vmm.spawned' || event.type === 'vmm.adopted' ? { process: event.process } : {},
    ),
    recordVersion: assign(({ event }) => (event.type === 'vmm.ready' ? { vmmVersion: event.version } : {})),
    recordBoot: assign(({ event }) => ({ startedAt: event.at })),
    recordGuestReady: assign(({ context, event }) => ({
      seen: { ...context.seen, ready: true, readyAt: context.seen.readyAt ?? event.at },
    })),
    recordReboot: assign(({ context, event }) =>
      event.type === 'guest.rebooted'
        ? {
            seen: { ...context.seen, ready: false },
            reboots: {
              count: context.reboots.count + event.count,
              recent: recentReboots(context.reboots.recent, event.at, event.count),
            },
          }
        : {},
    ),
    cutOffLoop: assign(({ context, event }) => ({ stop: stopIntent(context, event, 'reboot-loop') })),
    cutOffPanic: assign(({ context, event }) => ({ stop: stopIntent(context, event, 'guest-panic') })),
    recordPanic: assign(({ context }) => ({ seen: { ...context.seen, panicked: true } })),
    recordPowerOff: assign(args => ({
      seen: { ...args.context.seen, poweredOff: true },
      stop: args.context.stop ?? stopIntent(args.context, args.event, 'guest-poweroff'),
    })),
    recordCommandExit: assign(({ context, event }) =>
      event.type === 'command.exited' ? { seen: { ...context.seen, commandExit: event.exitCode } } : {},
    ),
    intendStop: assign(({ context, event }) => ({ stop: stopIntent(context, event, 'requested') })),
    intendStrongerStop: assign(({ context, event }) => ({
      stop: stopIntent(context, event, 'requested'),
      next: null,
    })),
    intendRestart: assign({ next: 'start' }),
    forgetRestart: assign({ next: null }),
    intendRemoval: assign({ next: 'remove' }),
    recordUnknown: assign(({ event }) => ({
      unknownReason:
        event.type === 'box.unknown' ? event.reason : 'the VMM did not end within 5 s of SIGKILL',
    })),
    recordKnown: assign({ unknownReason: null }),
  },
}).createMachine({
  id: 'box',
  context: contextOf,
  initial: 'configured',
  on: {
    'vmm.spawned': { actions: 'recordProcess' },
    'vmm.adopted': { actions: 'recordProcess' },
    'guest.panicked': { actions: 'recordPanic' },
    'guest.rebooted': { actions: 'recordReboot' },
    'command.exited': { actions: 'recordCommandExit' },
    'vmm.exited': [
      { guard: 'isOver' },
      {
        guard: 'restartWanted',
        target: '.starting',
        actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
      },
      { guard: 'goesAway', target: '.removing.deleting', actions: 'recordEnding' },
      { guard: 'endsStopped', target: '.stopped', actions: 'recordEnding' },
      { guard: 'endsFailed', target: '.failed', actions: 'recordEnding' },
      { target: '.crashed', actions: 'recordEnding' },
    ],
    'host.rebooted': [
      { guard: 'isOver' },
      {
        guard: 'restartWanted',
        target: '.starting',
        actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
      },
      { guard: 'goesAway', target: '.removing.deleting', actions: 'recordEnding' },
      { guard: 'endsStopped', target: '.stopped', actions: 'recordEnding' },
      { guard: 'endsFailed', target: '.failed', actions: 'recordEnding' },
      { target: '.crashed', actions: 'recordEnding' },
    ],
    'box.unknown': [{ guard: 'isOver' }, { target: '.unknown', actions: 'recordUnknown' }],
    'incarnation.found': [
      { guard: 'mayLive', target: '.unknown', actions: 'openFound' },
      { actions: 'countIncarnation' },
    ],
  },
  states: {
    configured: {
      description: 'Recorded; no VMM was ever made',
      tags: 'down',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { target: 'removing.deleting', actions: 'intendRemoval' },
      },
    },
    starting: {
      description: 'On its way up; the stage within says how far',
      tags: 'busy',
      initial: 'queued',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.failed': { target: 'stopping.killing', actions: 'noteFailure' },
        'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
        'stop.requested': [
          { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
          { target: 'stopping.closing', actions: 'intendStop' },
        ],
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        queued: {
          description: 'Waits for its turn: at most as many starts at once as the machine has cores',
          invoke: { id: 'queueStart', src: 'queueStart' },
          on: {
            'start.stage': { target: 'preparing' },
            'start.failed': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.failed', actions: 'recordEnding' },
            ],
            'stop.requested': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.stopped', actions: 'recordEnding' },
            ],
            'remove.requested': {
              guard: 'isForced',
              target: '#box.removing.deleting',
              actions: ['recordEnding', 'intendRemoval'],
            },
          },
        },
        preparing: {
          description: 'The image and the run directory are made ready',
          invoke: { id: 'prepareFiles', src: 'prepareFiles' },
          on: {
            'start.stage': { target: 'spawning' },
            'start.failed': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.failed', actions: 'recordEnding' },
            ],
            'stop.requested': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.stopped', actions: 'recordEnding' },
            ],
            'remove.requested': {
              guard: 'isForced',
              target: '#box.removing.deleting',
              actions: ['recordEnding', 'intendRemoval'],
            },
          },
        },
        spawning: {
          description: 'The VMM process is being made',
          invoke: { id: 'spawnVmm', src: 'spawnVmm' },
          on: {
            'vmm.spawned': { target: 'connecting', actions: 'recordProcess' },
            'start.failed': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.failed', actions: 'recordEnding' },
            ],
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoStart', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoStart', 'recordEnding'] },
            ],
          },
        },
        connecting: {
          description: "The VMM's socket is waited for",
          invoke: { id: 'awaitVmm', src: 'awaitVmm' },
          after: { vmmReadyLimit: { target: '#box.stopping.killing', actions: 'noteSilent' } },
          on: {
            'vmm.ready': { target: 'creating', actions: 'recordVersion' },
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoStart', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoStart', 'recordEnding'] },
            ],
          },
        },
        creating: {
          description: 'The VM is being described to the VMM',
          invoke: { id: 'createVm', src: 'createVm' },
          after: { createLimit: { target: '#box.stopping.killing', actions: 'noteSlowBoot' } },
          on: {
            'vm.created': { target: 'booting' },
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoBoot', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoBoot', 'recordEnding'] },
            ],
          },
        },
        booting: {
          description: 'The VM is being booted',
          invoke: { id: 'bootVm', src: 'bootVm' },
          after: { bootLimit: { target: '#box.stopping.killing', actions: 'noteSlowBoot' } },
          on: {
            'vm.booted': [
              { guard: 'readyAtBoot', target: '#box.running', actions: 'recordBoot' },
              { target: 'waiting', actions: 'recordBoot' },
            ],
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoBoot', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoBoot', 'recordEnding'] },
            ],
          },
        },
        waiting: {
          description: 'The VM runs; the guest has not said that it is ready',
          invoke: { id: 'awaitGuest', src: 'awaitGuest' },
          after: { guestReadyLimit: { target: '#box.running' } },
          on: {
            'guest.ready': { target: '#box.running', actions: 'recordGuestReady' },
            'vm.paused': { target: '#box.paused' },
            'vmm.adopted': [
              { guard: 'vmPaused', target: '#box.paused', actions: 'recordProcess' },
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'guest.panicked': { target: '#box.stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
            'guest.rebooted': [
              { guard: 'loops', target: '#box.stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
              { actions: 'recordReboot' },
            ],
            'restart.requested': {
              target: '#box.stopping.pressing',
              actions: ['intendStop', 'intendRestart'],
            },
            'stop.requested': [
              { guard: 'asksKill', target: '#box.stopping.killing', actions: 'intendStop' },
              { guard: 'asksForce', target: '#box.stopping.cutting', actions: 'intendStop' },
              { target: '#box.stopping.pressing', actions: 'intendStop' },
            ],
            'vmm.exited': [
              {
                guard: and(['endedByItself', 'goesAway']),
                target: '#box.removing.deleting',
                actions: 'recordEnding',
              },
              { guard: 'endedByItself', target: '#box.stopped', actions: 'recordEnding' },
              { guard: 'goesAway', target: '#box.removing.deleting', actions: ['noteGone', 'recordEnding'] },
              { target: '#box.failed', actions: ['noteGone', 'recordEnding'] },
            ],
          },
        },
      },
    },
    running: {
      description: 'The VM runs',
      tags: 'up',
      initial: 'steady',
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.panicked': { target: 'stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
        'guest.rebooted': [
          { guard: 'loops', target: 'stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
          { actions: 'recordReboot' },
        ],
        'guest.ready': { actions: 'recordGuestReady' },
        'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
        'vm.paused': { target: 'paused' },
        'vmm.adopted': [
          { guard: 'vmPaused', target: 'paused', actions: 'recordProcess' },
          { guard: 'vmAbsent', target: 'stopping.closing', actions: ['recordProcess', 'recordPowerOff'] },
          { actions: 'recordProcess' },
        ],
        'stop.requested': [
          { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
          { guard: 'asksForce', target: 'stopping.cutting', actions: 'intendStop' },
          { target: 'stopping.pressing', actions: 'intendStop' },
        ],
        'restart.requested': { target: 'stopping.pressing', actions: ['intendStop', 'intendRestart'] },
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        steady: {
          description: 'Nothing is under way',
          on: { 'pause.requested': { target: 'pausing' } },
        },
        pausing: {
          description: 'A pause is under way',
          invoke: { id: 'pauseVm', src: 'pauseVm' },
          after: { pauseLimit: { target: 'steady' } },
          on: { 'pause.failed': { target: 'steady' } },
        },
      },
    },
    paused: {
      description: "The VM's processors stand still",
      tags: 'up',
      initial: 'held',
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.panicked': { target: 'stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
        'guest.rebooted': [
          { guard: 'loops', target: 'stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
          { actions: 'recordReboot' },
        ],
        'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
        'vm.resumed': { target: 'running' },
        'vmm.adopted': [
          { guard: 'vmRuns', target: 'running', actions: 'recordProcess' },
          { guard: 'vmAbsent', target: 'stopping.closing', actions: ['recordProcess', 'recordPowerOff'] },
          { actions: 'recordProcess' },
        ],
        'stop.requested': [
          { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
          { guard: 'asksForce', target: 'stopping.cutting', actions: 'intendStop' },
          { target: 'stopping.pressing', actions: 'intendStop' },
        ],
        'restart.requested': { target: 'stopping.pressing', actions: ['intendStop', 'intendRestart'] },
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        held: {
          description: 'Nothing is under way',
          on: { 'resume.requested': { target: 'resuming' } },
        },
        resuming: {
          description: 'A resume is under way',
          invoke: { id: 'resumeVm', src: 'resumeVm' },
          after: { pauseLimit: { target: 'held' } },
          on: { 'resume.failed': { target: 'held' } },
        },
      },
    },
    stopping: {
      description: 'On its way down, a rung of the ladder after the other',
      tags: 'busy',
      initial: 'pressing',
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.powered-off': { actions: 'recordPowerOff' },
        'stop.requested': [
          { guard: 'asksStrongerKill', target: '.killing', actions: 'intendStrongerStop' },
          { guard: 'beatsRestart', actions: 'forgetRestart' },
          { guard: 'isUnasked', actions: 'intendStop' },
        ],
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        pressing: {
          description: "The guest's power button was pressed",
          invoke: { id: 'pressButton', src: 'pressButton' },
          after: { halfGrace: { target: 'pressingAgain' } },
          on: {
            'stop.rung': { guard: 'rungFailed', target: 'cutting' },
            'guest.powered-off': { target: 'closing', actions: 'recordPowerOff' },
            'stop.requested': [
              { guard: 'asksStrongerKill', target: 'killing', actions: 'intendStrongerStop' },
              { guard: 'asksStrongerForce', target: 'cutting', actions: 'intendStrongerStop' },
              { guard: 'beatsRestart', actions: 'forgetRestart' },
              { guard: 'isUnasked', actions: 'intendStop' },
            ],
          },
        },
        pressingAgain: {
          description: "The guest's power button was pressed again, half of the grace being over",
          invoke: { id: 'pressButtonAgain', src: 'pressButton' },
          after: { halfGrace: { target: 'cutting' } },
          on: {
            'stop.rung': { guard: 'rungFailed', target: 'cutting' },
            'guest.powered-off': { target: 'closing', actions: 'recordPowerOff' },
            'stop.requested': [
              { guard: 'asksStrongerKill', target: 'killing', actions: 'intendStrongerStop' },
              { guard: 'asksStrongerForce', target: 'cutting', actions: 'intendStrongerStop' },
              { guard: 'beatsRestart', actions: 'forgetRestart' },
              { guard: 'isUnasked', actions: 'intendStop' },
            ],
          },
        },
        cutting: {
          description: 'The power of the VM is cut',
          invoke: { id: 'cutPower', src: 'cutPower' },
          after: { cutLimit: { target: 'closing' } },
          on: { 'stop.rung': { target: 'closing' } },
        },
        closing: {
          description: 'The VMM is asked to end',
          invoke: { id: 'closeVmm', src: 'closeVmm' },
          after: { closeLimit: { target: 'terminating' } },
          on: { 'stop.rung': { guard: 'rungFailed', target: 'terminating' } },
        },
        terminating: {
          description: 'The VMM was sent SIGTERM',
          invoke: { id: 'terminateVmm', src: 'terminateVmm' },
          after: { terminateLimit: { target: 'killing' } },
          on: { 'stop.rung': { guard: 'rungFailed', target: 'killing' } },
        },
        killing: {
          description: 'The VMM was sent SIGKILL',
          invoke: { id: 'killVmm', src: 'killVmm' },
          after: { killLimit: { target: '#box.unknown', actions: 'recordUnknown' } },
        },
      },
    },
    stopped: {
      description: 'Down in an orderly way',
      initial: 'resting',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
      },
      states: {
        resting: {
          description: 'Stays so until somebody starts it',
          tags: 'down',
          always: { guard: 'restartIsDue', target: 'scheduling' },
          on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
        },
        scheduling: {
          description: 'The restart policy starts it again: the wait before is being drawn',
          tags: 'busy',
          invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
          on: {
            'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
        waiting: {
          description: 'The restart policy starts it again when the wait is over',
          tags: 'busy',
          after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
          on: {
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
      },
    },
    crashed: {
      description: "Down against everybody's wish",
      initial: 'resting',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
      },
      states: {
        resting: {
          description: 'Stays so until somebody starts it',
          tags: 'down',
          always: { guard: 'restartIsDue', target: 'scheduling' },
          on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
        },
        scheduling: {
          description: 'The restart policy starts it again: the wait before is being drawn',
          tags: 'busy',
          invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
          on: {
            'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
        waiting: {
          description: 'The restart policy starts it again when the wait is over',
          tags: 'busy',
          after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
          on: {
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
      },
    },
    failed: {
      description: 'Did not come up',
      initial: 'resting',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
      },
      states: {
        resting: {
          description: 'Stays so until somebody starts it',
          tags: 'down',
          always: { guard: 'restartIsDue', target: 'scheduling' },
          on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
        },
        scheduling: {
          description: 'The restart policy starts it again: the wait before is being drawn',
          tags: 'busy',
          invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
          on: {
            'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
        waiting: {
          description: 'The restart policy starts it again when the wait is over',
          tags: 'busy',
          after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
          on: {
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
      },
    },
    removing: {
      description: 'On its way out; cannot be called back',
      tags: 'busy',
      initial: 'deleting',
      states: {
        killing: {
          description: 'The VMM was sent SIGKILL, to be removed',
          invoke: { id: 'killVmmToRemove', src: 'killVmm' },
          after: { killLimit: { target: 'killing', reenter: true } },
        },
        deleting: {
          description: "The box's files are being deleted",
          invoke: { id: 'removeFiles', src: 'removeFiles' },
          on: {
            'box.removed': { target: '#box.removed' },
            'remove.failed': { target: 'resting' },
          },
        },
        resting: {
          description: 'The files could not be deleted; it is tried again',
          after: { removeRetry: { target: 'deleting' } },
        },
      },
    },
    removed: {
      description: 'Gone; its history stays',
      tags: 'gone',
    },
    unknown: {
      description: 'Cannot be looked at: nothing is spawned, killed or deleted',
      tags: 'busy',
      invoke: { id: 'lookAtVmm', src: 'lookAtVmm' },
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.powered-off': { actions: 'recordPowerOff' },
        'stop.requested': { guard: and(['isForOwner', 'isUnasked']), actions: 'intendStop' },
        'vmm.adopted': [
          { guard: 'isRemoving', target: 'removing.killing', actions: ['recordProcess', 'recordKnown'] },
          { guard: 'isStopping', target: 'stopping.closing', actions: ['recordProcess', 'recordKnown'] },
          { guard: 'vmRuns', target: 'running', actions: ['recordProcess', 'recordKnown'] },
          { guard: 'vmPaused', target: 'paused', actions: ['recordProcess', 'recordKnown'] },
          {
            guard: 'neverRan',
            target: 'stopping.killing',
            actions: ['recordProcess', 'recordKnown', 'noteLostStart'],
          },
          { target: 'stopping.closing', actions: ['recordProcess', 'recordKnown', 'recordPowerOff'] },
        ],
        'box.resolved': [
          {
            guard: 'restartWanted',
            target: 'starting',
            actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
          },
          { guard: 'goesAway', target: 'removing.deleting', actions: 'recordEnding' },
          { guard: 'stopWanted', target: 'stopped', actions: 'recordEnding' },
          { target: 'crashed', actions: 'recordEnding' },
        ],
      },
    },
  },
})
