import { setTimeout as delay } from 'node:timers/promises'

/** Asks again and again until the answer is not `undefined`; fails with `what` after the deadline. */
export async function waitUntil<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await delay(5)
  }
}

/** Runs tasks, at most `limit` at a time. */
export async function runPool(limit: number, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...tasks]
  const runners = Array.from({ length: limit }, async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task()
  })
  await Promise.all(runners)
}
