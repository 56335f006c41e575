import type { Failure } from './events.ts'

export type EndingCause =
  | 'requested'
  | 'guest-poweroff'
  | 'host-reboot'
  | 'crash'
  | 'guest-panic'
  | 'reboot-loop'
  | 'vcpu-error'
  | 'boot-failed'
  | 'external'
  | 'unknown'

/** How the last incarnation ended. */
export interface Ending {
  readonly cause: EndingCause
  /** the main command's */
  readonly exitCode?: number
  /** the VMM's; absent where nobody could know */
  readonly vmm?: { readonly exitCode?: number; readonly signal?: string }
  /** in `ms since 1970` */
  readonly at: number
  readonly code?: string
  readonly message?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly logTail?: string
}

export function failureFields(failure: Failure): Pick<Ending, 'code' | 'message' | 'details'> {
  return {
    code: failure.code,
    message: failure.message,
    ...(failure.details ? { details: failure.details } : {}),
  }
}

/** The public state after an ending (the table in the design's section 4). */
export function stateAfter(cause: EndingCause): 'stopped' | 'crashed' | 'failed' {
  switch (cause) {
    case 'requested':
    case 'guest-poweroff':
    case 'host-reboot':
    case 'external':
      return 'stopped'
    case 'boot-failed':
      return 'failed'
    default:
      return 'crashed'
  }
}
