import { setTimeout as sleep } from 'node:timers/promises'

/** Waits; resolves early, without an error, when the signal fires. `ref`: this process lives on for it. */
export async function pause(ms: number, signal: AbortSignal, { ref = true } = {}): Promise<void> {
  await sleep(ms, undefined, { signal, ref }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}

/** Waits for what is promised, at most so long; true if it came. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const limit = new AbortController()
  const late = sleep(ms, false, { signal: limit.signal }).catch(() => false)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    limit.abort()
  }
}
