import type { StampedEvent } from '../events.ts'
import { recentReboots } from '../policy.ts'
import { withSnapshots } from '../snapshots.ts'
import type { BoxContext, StopIntent } from '../state.ts'
import { change } from './change.ts'
import { bootsNext, newIncarnation, originOf } from './context.ts'
import { attemptsBefore, endingBy, restartIsDueAfter } from './ends.ts'
import { snapshotActions } from './snapshot-actions.ts'

const stopIntent = (context: BoxContext, event: StampedEvent, cause: StopIntent['cause']): StopIntent => {
  const asked = event.type === 'stop.requested' ? event : undefined
  return {
    mode: asked?.mode ?? 'graceful',
    timeoutMs: asked?.timeoutMs ?? context.spec.stopTimeoutMs,
    askedAt: event.at,
    cause,
    ...(asked?.reason === undefined ? {} : { reason: asked.reason }),
  }
}

const failure = (code: string, message: string): Partial<BoxContext> => ({ failure: { code, message } })

/** What an event changes in what a box remembers. */
export const actions = {
  rename: change(({ event }) => (event.type === 'box.renamed' ? { name: event.name } : {})),
  openIncarnation: change(({ context, event }) => ({
    incarnation: context.incarnation + 1,
    ...newIncarnation(context, { origin: originOf(context, event), boots: bootsNext(context, event) }),
  })),
  countIncarnation: change(({ event }) =>
    event.type === 'incarnation.found' ? { incarnation: event.incarnation } : {},
  ),
  openFound: change(({ context, event }) =>
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
  countRestart: change(({ context }) => ({
    restart: {
      ...context.restart,
      count: context.restart.count + 1,
      attempts: context.restart.attempts + 1,
    },
  })),
  recordDelay: change(({ context, event }) =>
    event.type === 'restart.scheduled' ? { restart: { ...context.restart, delayMs: event.delayMs } } : {},
  ),
  giveUpRestart: change(({ context }) => ({ restart: { ...context.restart, due: false, delayMs: null } })),
  forgetAttempts: change(({ context }) => ({ restart: { ...context.restart, attempts: 0 } })),
  recordEnding: change(args => ({
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
    ...(args.context.snapshots ? withSnapshots(args.context, { saving: null }) : {}),
  })),
  noteFailure: change(({ event }) =>
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
  noteStale: change(() =>
    failure('GUEST_UNREACHABLE', 'The guest of the template did not become that of this box'),
  ),
  noteNoStart: change(() => failure('VMM_START_FAILED', 'The VMM ended before its socket answered')),
  noteNoBoot: change(() => failure('BOOT_FAILED', 'The VMM ended before the VM had booted')),
  noteGone: change(() => failure('VMM_GONE', 'The VMM ended after the boot and before the guest was ready')),
  noteSilent: change(() => failure('VMM_TIMEOUT', "The VMM's socket did not answer within 10 s")),
  noteSlowBoot: change(() => failure('BOOT_FAILED', 'The VM was not created and booted within 60 s')),
  noteSlowRestore: change(() => failure('BOOT_FAILED', 'The VM was not made of its snapshot in time')),
  noteLostStart: change(() => failure('BOOT_FAILED', 'The start could not be followed to its end')),
  recordProcess: change(({ event }) =>
    event.type === 'vmm.spawned' || event.type === 'vmm.adopted' ? { process: event.process } : {},
  ),
  recordVersion: change(({ event }) => (event.type === 'vmm.ready' ? { vmmVersion: event.version } : {})),
  recordBoot: change(({ event }) => ({ startedAt: event.at })),
  recordGuestReady: change(({ context, event }) => ({
    seen: { ...context.seen, ready: true, readyAt: context.seen.readyAt ?? event.at },
  })),
  recordReboot: change(({ context, event }) =>
    event.type === 'guest.rebooted'
      ? {
          seen: { ...context.seen, ready: false, health: null },
          reboots: {
            count: context.reboots.count + event.count,
            recent: recentReboots(context.reboots.recent, event.at, event.count),
          },
        }
      : {},
  ),
  cutOffLoop: change(({ context, event }) => ({ stop: stopIntent(context, event, 'reboot-loop') })),
  cutOffPanic: change(({ context, event }) => ({ stop: stopIntent(context, event, 'guest-panic') })),
  recordPanic: change(({ context }) => ({ seen: { ...context.seen, panicked: true } })),
  recordPowerOff: change(args => ({
    seen: { ...args.context.seen, poweredOff: true },
    stop: args.context.stop ?? stopIntent(args.context, args.event, 'guest-poweroff'),
  })),
  recordCommandExit: change(({ context, event }) =>
    event.type === 'command.exited' ? { seen: { ...context.seen, commandExit: event.exitCode } } : {},
  ),
  recordHealth: change(({ context, event }) =>
    event.type === 'health.changed' ? { seen: { ...context.seen, health: event.health } } : {},
  ),
  intendStop: change(({ context, event }) => ({ stop: stopIntent(context, event, 'requested') })),
  intendStrongerStop: change(({ context, event }) => ({
    stop: stopIntent(context, event, 'requested'),
    next: null,
    // A template that did not do is no failure of the box.
    ...(context.next === 'start' ? { failure: null } : {}),
  })),
  intendRestart: change(() => ({ next: 'start' })),
  forgetRestart: change(({ context, event }) => ({
    next: null,
    ...(context.stop === null ? { stop: stopIntent(context, event, 'requested'), failure: null } : {}),
  })),
  intendRemoval: change(() => ({ next: 'remove' })),
  recordUnknown: change(({ event }) => ({
    unknownReason: event.type === 'box.unknown' ? event.reason : 'the VMM did not end within 5 s of SIGKILL',
  })),
  recordUnreleased: change(() => ({
    unknownReason: 'the VM could not be set going again after a snapshot',
  })),
  recordKnown: change(() => ({ unknownReason: null })),
  ...snapshotActions,
}
