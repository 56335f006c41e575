interface CodeEntry {
  /** trying again may help */
  readonly retryable: boolean
  /** exit code of the command */
  readonly exit: number
}

/** Every code there is. */
export const errorCodes = {
  INVALID_ARGUMENT: { retryable: false, exit: 2 },
  NOT_FOUND: { retryable: false, exit: 3 },
  NAME_TAKEN: { retryable: false, exit: 4 },
  AMBIGUOUS_ID: { retryable: false, exit: 4 },
  INVALID_STATE: { retryable: false, exit: 4 },
  BUSY: { retryable: true, exit: 4 },
  WRONG_EXPECTED_VERSION: { retryable: false, exit: 4 },
  COMMIT_UNKNOWN: { retryable: true, exit: 1 },
  ENGINE_LOCKED: { retryable: true, exit: 6 },
  ENGINE_CLOSED: { retryable: false, exit: 1 },
  ENGINE_FAILED: { retryable: false, exit: 1 },
  ENGINE_OVERLOADED: { retryable: true, exit: 1 },
  NO_OWNER: { retryable: true, exit: 6 },
  LEDGER_CORRUPT: { retryable: false, exit: 5 },
  FORMAT_UNSUPPORTED: { retryable: false, exit: 5 },
  NO_SPACE: { retryable: true, exit: 1 },
  VMM_NOT_FOUND: { retryable: false, exit: 1 },
  VMM_START_FAILED: { retryable: true, exit: 1 },
  BOOT_FAILED: { retryable: false, exit: 1 },
  VMM_GONE: { retryable: true, exit: 1 },
  VMM_TIMEOUT: { retryable: true, exit: 1 },
  GUEST_UNREACHABLE: { retryable: true, exit: 1 },
  SNAPSHOT_CORRUPT: { retryable: false, exit: 1 },
  EXEC_LOST: { retryable: false, exit: 1 },
  IDENTITY_MISMATCH: { retryable: false, exit: 1 },
  UNSUPPORTED: { retryable: false, exit: 1 },
  ABORTED: { retryable: true, exit: 1 },
} as const satisfies Record<string, CodeEntry>

export type ErrorCode = keyof typeof errorCodes

export interface BoxErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

const brand = Symbol.for('boxledger.BoxError')

/** The one error class. Tell errors apart by `code`, never by the message. */
export class BoxError extends Error {
  override readonly name = 'BoxError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly retryable: boolean
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, { details = {}, cause }: BoxErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
    this.retryable = errorCodes[code].retryable
  }

  /** True for errors of another copy of this package too. */
  static is(error: unknown, code?: ErrorCode): error is BoxError {
    return (
      typeof error === 'object' &&
      error !== null &&
      (error as Record<symbol, unknown>)[brand] === true &&
      (code === undefined || (error as BoxError).code === code)
    )
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
