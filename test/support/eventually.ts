import { setTimeout as sleep } from 'node:timers/promises'

export interface EventuallyOptions {
  /** For the error: what was waited for */
  readonly what?: string
  /** Default 5000 `ms` */
  readonly timeoutMs?: number
  /** Time between looks, default 10 `ms` */
  readonly everyMs?: number
  readonly signal?: AbortSignal
}

type Falsy = undefined | null | false | 0 | ''

/**
 * Looks until the condition gives something truthy, and gives that. A condition that throws is looked at again; at the
 * deadline the error carries what it threw last.
 *
 *     const pid = await eventually(() => readPid(file), { what: 'a pid file' })
 */
export const eventually = async <T>(
  condition: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, Falsy>> => {
  const { what = 'the condition', timeoutMs = 5000, everyMs = 10, signal } = options
  const end = performance.now() + timeoutMs
  for (;;) {
    signal?.throwIfAborted()
    let cause: unknown
    try {
      const value = await condition()
      if (isTruthy(value)) return value
      cause = value
    } catch (error) {
      cause = error
    }
    if (performance.now() >= end) throw new Error(`Waited ${timeoutMs} ms for ${what} in vain.`, { cause })
    await sleep(everyMs, undefined, signal ? { signal } : {})
  }
}

const isTruthy = <T>(value: T): value is Exclude<T, Falsy> => Boolean(value)
