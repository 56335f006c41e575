/** What the event monitor's file tells of a VM that runs. */
export type Happening = 'vm/rebooted' | 'guest/panic' | 'vm/paused' | 'vm/resumed' | 'vm/shutdown'

export interface Happened {
  readonly name: Happening
  /** how often, where that counts */
  readonly count: number
  /** end of the last one in the file, in `bytes` */
  readonly end: number
}

/** Told one by one, as they come, before they are told by the second. */
const burst = 20
const everyMs = 1_000

/**
 * Lets what happened through as it comes, up to a rate that no guest of good will has. What comes faster is held back and
 * told once a second, all of a kind together: whatever a VMM writes, the ledger grows by some records a second.
 */
export class EventFlow {
  readonly #tell: (happened: Happened, isLast: boolean) => Promise<void>
  readonly #held = new Map<string, Happened>()
  #left = burst
  #since = performance.now()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined

  /** @param tell `isLast`: nothing before it in the file has yet to be told */
  constructor(tell: (happened: Happened, isLast: boolean) => Promise<void>) {
    this.#tell = tell
  }

  get isHolding(): boolean {
    return this.#held.size > 0
  }

  /** @param urgent somebody waits for it */
  async take(name: Happening, end: number, urgent: boolean): Promise<void> {
    await this.#flushing
    if (urgent || (!this.isHolding && this.#mayPass())) {
      await this.flush()
      await this.#tell({ name, count: 1, end }, true)
      return
    }
    const kind = name === 'vm/resumed' ? 'vm/paused' : name
    const count = (this.#held.get(kind)?.count ?? 0) + 1
    // Behind those that it has come after.
    this.#held.delete(kind)
    this.#held.set(kind, { name, count, end })
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), everyMs).unref() // Closed: nobody to tell
  }

  /** Tells what is held back, in the order of the last of each. */
  async flush(): Promise<void> {
    while (this.#flushing) await this.#flushing
    this.#flushing = this.#tellAll().finally(() => {
      this.#flushing = undefined
    })
    await this.#flushing
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#held.clear()
  }

  async #tellAll(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const all = [...this.#held.values()]
    this.#held.clear()
    for (const [n, happened] of all.entries()) await this.#tell(happened, n === all.length - 1)
  }

  #mayPass(): boolean {
    const now = performance.now()
    const more = Math.floor((now - this.#since) / everyMs)
    if (more > 0) {
      this.#left = Math.min(burst, this.#left + more)
      this.#since = now
    }
    if (this.#left === 0) return false
    this.#left--
    return true
  }
}
