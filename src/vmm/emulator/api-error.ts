/** A refused or failed call: its status and the chain of messages, outermost first. */
export class ApiError extends Error {
  readonly status: number
  readonly chain: readonly string[]

  constructor(status: number, chain: readonly string[]) {
    super(chain.join(': '))
    this.status = status
    this.chain = chain
  }

  /** The same failure with an outer message. */
  within(outer: string): ApiError {
    return new ApiError(this.status, [outer, ...this.chain])
  }
}

/** The VMM's one thread is lost: the call is answered, then the process exits with 1. */
export class Panic extends Error {}

export const notRunning = (): ApiError => new ApiError(500, ['VM is not running'])
export const notCreated = (): ApiError => new ApiError(404, ['VM is not created'])
export const alreadyCreated = (): ApiError => new ApiError(500, ['VM is already created'])

export function failed(...chain: string[]): ApiError {
  return new ApiError(500, chain)
}

const MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EEXIST: 'File exists',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EADDRINUSE: 'Address already in use',
  ENOSPC: 'No space left on device',
  ENXIO: 'No such device or address',
}

/** A system error in the real one's words: `No such file or directory (os error 2)`. */
export function describeSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, errno } = error as NodeJS.ErrnoException
  if (code === undefined || errno === undefined) return error.message
  return `${MESSAGES[code] ?? code} (os error ${Math.abs(errno)})`
}
