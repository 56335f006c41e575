/** The codes of the public error table that making or resolving an image can end with. */
export type ImageErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'UNSUPPORTED'
  | 'FORMAT_UNSUPPORTED'
  | 'NO_SPACE'
  | 'BOOT_FAILED'
  | 'ABORTED'

export type ImageErrorDetails = Readonly<Record<string, string | number | boolean | null>>

/** An image could not be made, found or used. The message says what was tried, what happened and what to do. */
export class ImageError extends Error {
  readonly code: ImageErrorCode
  readonly details: ImageErrorDetails

  constructor(code: ImageErrorCode, message: string, details: ImageErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ImageError'
    this.code = code
    this.details = details
  }
}

/** The `code` of a system error (`ENOENT`), or undefined for anything else that was thrown. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Turns what a step threw into an ImageError, keeping one that already is; `what` names the step. */
export function asImageError(error: unknown, what: string): ImageError {
  if (error instanceof ImageError) return error
  const code = systemCode(error)
  const text = error instanceof Error ? error.message : String(error)
  const details = code === undefined ? {} : { systemCode: code }
  if (error instanceof Error && error.name === 'AbortError') {
    return new ImageError('ABORTED', `${what}: aborted`, details, error)
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ImageError(
      'NO_SPACE',
      `${what}: no space left (${text}). Free some and try again.`,
      details,
      error,
    )
  }
  return new ImageError('BOOT_FAILED', `${what}: ${text}`, details, error)
}

/** Throws `ABORTED` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new ImageError('ABORTED', `${what}: aborted`, {}, signal.reason)
}
