import { BoxError, type ErrorCode, errorCodes, type Head, isErrorCode } from '../../machines/index.ts'

/**
 * What goes over the owner's socket, HTTP/1.1 with JSON:
 *
 *   GET  /v1/owner                    -> OwnerInfo
 *   POST /v1/call/VERB                [arguments of the library's method] -> { "value": … } or { "error": … }
 *   POST /v1/box/ID/call/VERB         the same, of one box
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

/** A box as its handle begins. */
export interface BoxRef {
  readonly id: string
  /** absent when it cannot be read */
  readonly head?: Head
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

const byExit: Readonly<Record<number, number>> = { 2: 400, 3: 404, 4: 409, 6: 503 }

export function statusOf(code: string): number {
  return isErrorCode(code) ? (byExit[errorCodes[code satisfies ErrorCode].exit] ?? 500) : 500
}
