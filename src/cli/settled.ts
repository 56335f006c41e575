import { setTimeout as delay } from 'node:timers/promises'
import type { BoxInfo } from '../index.ts'

/** How long a host may be silent about boxes before they are shown as `recovering`, in `ms`. */
const patienceMs = 5_000

/**
 * Reads until the host has told what became of all boxes: a command that has just become the owner would else show
 * what was true when the owner before it ended. Gives what is known when that takes too long.
 */
export async function onceKnown<T extends readonly BoxInfo[]>(
  read: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    const infos = await read()
    if (!infos.some(info => info.recovering) || performance.now() >= end) return infos
    await delay(10, undefined, { signal })
  }
}
