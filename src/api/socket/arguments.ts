import { randomUUID } from 'node:crypto'
import { BoxError } from '../../machines/index.ts'

/** Options as they go over the socket, and what stays here. */
export interface Parted {
  readonly options: unknown
  readonly signal: AbortSignal | undefined
}

/** Takes the signal out of what a caller hands in; what is no object is left for the owner to refuse. */
export function part(options: unknown): Parted {
  if (options === undefined) return { options: {}, signal: undefined }
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return { options, signal: undefined }
  const { signal, ...rest } = options as { signal?: unknown }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new BoxError('INVALID_ARGUMENT', 'signal must be an AbortSignal', { details: { field: 'signal' } })
  return { options: rest, signal }
}

/** The same of a command, under an ID: cut off, it can be asked for again and is done once. */
export function partCommand(options: unknown): Parted {
  const { options: rest, signal } = part(options)
  const isObject = typeof rest === 'object' && rest !== null && !Array.isArray(rest)
  return { options: isObject ? { commandId: randomUUID(), ...defined(rest) } : rest, signal }
}

function defined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
