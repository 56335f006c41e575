/**
 * The ledger holds a stream of records for each box, by its ID, and one for each execution, as `BOX.EXECUTION`. These
 * are all who know how that is written.
 */

/** What can be the ID of a box or of an execution at all: it becomes a part of keys, and of paths that are deleted. */
export const safeIdPattern = /^[\w-]{1,64}$/

export interface StreamParts {
  readonly box: string
  /** absent: the stream is the box's own */
  readonly execution?: string
}

export function streamOf({ box, execution }: StreamParts): string {
  return execution === undefined ? box : `${box}.${execution}`
}

export function partsOf(stream: string): StreamParts {
  const dot = stream.indexOf('.')
  return dot < 0 ? { box: stream } : { box: stream.slice(0, dot), execution: stream.slice(dot + 1) }
}

export function isStream(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const { box, execution } = partsOf(value)
  return safeIdPattern.test(box) && (execution === undefined || safeIdPattern.test(execution))
}
