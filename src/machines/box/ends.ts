import { type Ending, failureFields } from '../ending.ts'
import type { Exit, StampedEvent } from '../events.ts'
import { hasRetriesLeft, restartsAfter } from '../policy.ts'
import { defaultBackoff, readyOf } from '../spec.ts'
import type { BoxContext } from '../state.ts'
import { causeAfterReboot, endingOf } from './evidence.ts'
import { guestReadyLimit } from './limits.ts'

/** The state before an event, and the event. */
export type Args = { readonly context: BoxContext; readonly event: StampedEvent }

const unseenExit: Exit = { spawned: true, last: 'none', noShutdown: true }

/** An ending that left no evidence; a stop that was asked for colours it too. */
const unseenEnding = (context: BoxContext, at: number, cause: 'host-reboot' | 'unknown'): Ending => {
  const ending = endingOf(context, unseenExit, at)
  return ending.cause === 'requested' ? ending : { ...ending, cause }
}

/** How an incarnation ends by `event`. */
export const endingBy = ({ context, event }: Args): Ending => {
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
export const attemptsBefore = (context: BoxContext, at: number) => {
  const { restart, spec } = context
  const { resetAfterMs } = spec.restart.backoff ?? defaultBackoff
  return at - (runningSince(context) ?? at) >= resetAfterMs ? 0 : restart.attempts
}

/** A boot is no run, however long it takes. */
const runningSince = ({ spec, seen, startedAt }: BoxContext) => {
  if (startedAt === null || readyOf(spec) === 'vmm') return startedAt
  return seen.readyAt ?? startedAt + guestReadyLimit
}

/** Whether the policy starts the box again after the ending that `event` is. */
export const restartIsDueAfter = (args: Args) =>
  restartsAfter(args.context.spec.restart, endingBy(args)) &&
  hasRetriesLeft(args.context.spec.restart, attemptsBefore(args.context, args.event.at))
