import { type Ending, type EndingCause, failureFields } from '../ending.ts'
import type { Exit } from '../events.ts'
import type { BoxContext } from '../state.ts'

/**
 * Tells an ending from the evidence. A stop or a removal that was asked for colours every ending; else what the guest was
 * seen to do counts before how the process went.
 */
function causeOf(context: BoxContext, exit: Exit): EndingCause {
  if (isAsked(context)) return 'requested'
  if (context.failure) return 'boot-failed'
  if (context.seen.panicked) return 'guest-panic'
  if (context.stop) return context.stop.cause
  if (context.seen.poweredOff) return 'guest-poweroff'
  if (exit.vcpuError) return 'vcpu-error'
  if (exit.last === 'orderly') return exit.noShutdown ? 'external' : 'guest-poweroff'
  return 'crash'
}

/** A boot of the host in between ends what ran; what was ending already ends as it would have. */
export function causeAfterReboot(context: BoxContext): EndingCause {
  if (isAsked(context)) return 'requested'
  if (context.failure) return 'boot-failed'
  return context.stop?.cause ?? 'host-reboot'
}

/** By a stop, or by a removal with force. */
function isAsked({ stop, next }: BoxContext): boolean {
  return stop?.cause === 'requested' || next === 'remove'
}

export function endingOf(context: BoxContext, exit: Exit, at: number): Ending {
  const exitCode = exit.commandExitCode ?? context.seen.commandExit
  const vmm = {
    ...(exit.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
  }
  return {
    cause: causeOf(context, exit),
    at,
    ...(exitCode === null || exitCode === undefined ? {} : { exitCode }),
    ...(Object.keys(vmm).length === 0 ? {} : { vmm }),
    ...(context.stop?.reason === undefined ? {} : { message: context.stop.reason }),
    ...(context.failure ? failureFields(context.failure) : {}),
    ...(exit.logTail ? { logTail: exit.logTail } : {}),
  }
}
