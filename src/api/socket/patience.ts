import { setTimeout as delay } from 'node:timers/promises'
import type { BoxError } from '../../machines/index.ts'

/** How much longer the waits between two tries become, at most: many who wait would keep the owner from its work. */
const mostLonger = 8

/** How long somebody waits for a home's owner: each owner has its own time to answer. */
export class Patience {
  readonly #ms: number
  #end: number
  #owner: string | undefined
  #longer = 1

  /** @param ms time that an owner is given */
  constructor(ms: number) {
    this.#ms = ms
    this.#end = performance.now() + ms
  }

  get isOver(): boolean {
    return performance.now() >= this.#end
  }

  /** Who has the home by now, as the `ENGINE_LOCKED` tells that somebody else got. */
  refused({ details: { pid, since } }: BoxError): void {
    if (pid === undefined || this.#owner === `${pid} ${since}`) return
    this.#owner = `${pid} ${since}`
    this.#end = performance.now() + this.#ms
  }

  /** Waits before the next try; `ref` false: keeps no process alive. Rejects when the signal fires. */
  async pause(options: { readonly signal?: AbortSignal; readonly ref?: boolean } = {}): Promise<void> {
    await delay((20 + Math.random() * 60) * this.#longer, undefined, options)
    this.#longer = Math.min(mostLonger, this.#longer * 1.25)
  }
}
