import type { Clock } from './world.ts'

/** Waits so many `ms` by the clock, or until the signal fires; never rejects. */
export function pauseOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const end = () => {
      clock.clearTimeout(handle)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const handle = clock.setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}

/** Runs something that is aborted after so many `ms` by the clock. */
export async function within<T>(
  clock: Clock,
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const handle = clock.setTimeout(() => limit.abort(new DOMException('The time is over', 'TimeoutError')), ms)
  try {
    return await run(limit.signal)
  } finally {
    clock.clearTimeout(handle)
  }
}
