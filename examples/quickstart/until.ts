import { setTimeout as delay } from 'node:timers/promises'

export interface UntilOptions {
  /** in `ms` */
  readonly limit: number
  readonly signal: AbortSignal
}

/** Looks until there is something to be seen, and gives that. */
export async function until<T>(
  what: string,
  { limit, signal }: UntilOptions,
  look: () => T | false | Promise<T | false>,
): Promise<T> {
  const end = performance.now() + limit
  for (;;) {
    const found = await look()
    if (found !== false) return found
    if (performance.now() >= end) throw new Error(`${what} was not seen within ${limit / 1000} s`)
    await delay(10, undefined, { signal })
  }
}
