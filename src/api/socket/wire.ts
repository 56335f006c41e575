import { BoxError, type ErrorCode, errorCodes, type Head, isErrorCode } from '../../machines/index.ts'

/** Largest request, in `bytes`: a box with its environment and secrets has room. */
export const maxBody = 1024 * 1024

/**
 * What goes over the owner's socket, HTTP/1.1 with JSON:
 *
 *   GET  /v1/owner                    -> OwnerInfo
 *   POST /v1/call/VERB                [arguments of the library's method] -> { "value": … } or { "error": … }
 *   POST /v1/box/ID/call/VERB         the same, of one box, with its "head" as it is then
 *   POST /v1/stream/NAME              [arguments] -> NDJSON: a value a line; a line { "error": … } is the last
 *   POST /v1/box/ID/stream/NAME       the same, of one box
 *
 * A stream that is over ends its response in good order. One that is cut off has lost its owner, and is asked for again
 * from the position after the last one seen. Paths change when meanings do: what is not known is `UNSUPPORTED`.
 */
export interface OwnerInfo {
  readonly pid: number
  readonly engine: string
  readonly home: string
}

/** A box as an answer finds it. */
export interface BoxRef {
  readonly id: string
  /** absent when it cannot be read */
  readonly head?: Head
}

export interface Answer {
  readonly value?: unknown
  readonly error?: WireError
  readonly head?: Head
}

/** A piece of a console, and what is needed to go on behind it. */
export interface ConsoleLine extends ConsoleMark {
  /** in base64; none: where it begins */
  readonly bytes: string
}

/** A guest's serial output is a file that is begun anew with each boot, in place. */
export interface ConsoleMark {
  readonly incarnation: number
  /** of the box, when this boot of its guest began */
  readonly reboots: number
  /** end of what was read, in `bytes` */
  readonly at: number
}

export interface WireError {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly retryable: boolean
}

export function toWire(error: unknown): WireError {
  if (BoxError.is(error)) {
    const { code, message, details, retryable } = error
    return { code, message, details, retryable }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'ENGINE_FAILED', message, details: {}, retryable: false }
}

export function fromWire({ code, message, details }: WireError): BoxError {
  // A code of a newer owner's has no better name here.
  return new BoxError(isErrorCode(code) ? code : 'ENGINE_FAILED', message, { details })
}

/** Both ends refuse what is larger, in the same words. */
export function tooLarge(): BoxError {
  return new BoxError('INVALID_ARGUMENT', `The request is larger than ${maxBody} bytes`, {
    details: { field: 'body' },
  })
}

const byExit: Readonly<Record<number, number>> = { 2: 400, 3: 404, 4: 409, 6: 503 }

export function statusOf(code: string): number {
  return isErrorCode(code) ? (byExit[errorCodes[code satisfies ErrorCode].exit] ?? 500) : 500
}
