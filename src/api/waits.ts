import { type BoxInfo, tagOf } from '../engine/index.ts'
import { BoxError, type BoxTag, quoted } from '../machines/index.ts'

/** Longest time that a timer can hold, in `ms`: some 25 days. */
export const longestMs = 0x7fffffff

/** What a caller waits for, as a question to ask of each state; throws `INVALID_ARGUMENT` for what is none. */
export function testOf(test: BoxTag | ((info: BoxInfo) => boolean)): (info: BoxInfo) => boolean {
  if (typeof test === 'function') return test
  if (['up', 'busy', 'down', 'gone'].includes(test)) return info => tagOf(info) === test
  throw new BoxError('INVALID_ARGUMENT', `test must be a function or a tag, not ${quoted(test)}`, {
    details: { field: 'test' },
  })
}

/** Fires when a wait is to end; undefined: never. A time that no timer can hold is none. */
export function limitOf({
  signal,
  timeoutMs = Number.POSITIVE_INFINITY,
}: {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}): AbortSignal | undefined {
  if (timeoutMs > longestMs) return signal
  const timeout = AbortSignal.timeout(timeoutMs)
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

/** A box that was removed is waited for in vain. */
export function removedError(box: string): BoxError {
  return new BoxError('NOT_FOUND', `Box ${box} was removed`, { details: { box } })
}
