import { longestMs } from '../waits.ts'

/** How long the first look may take although the time is over, in `ms`: an owner takes longer to ask than a variable. */
const firstLookMs = 1_000

/** How long somebody waits for a state. The time is never too short to look at the present one. */
export class TimeLimit implements Disposable {
  readonly signal: AbortSignal
  readonly #over = new AbortController()
  readonly #timers: NodeJS.Timeout[] = []
  #hasLooked = false
  #isOver = false

  constructor({
    signal,
    timeoutMs = Number.POSITIVE_INFINITY,
  }: {
    readonly signal?: AbortSignal | undefined
    readonly timeoutMs?: number | undefined
  }) {
    this.signal = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal])
    // A time that no timer can hold is none.
    if (timeoutMs > longestMs) return
    const end = () => this.#over.abort(new DOMException('The time is over', 'TimeoutError'))
    const expire = () => {
      this.#isOver = true
      if (this.#hasLooked) end()
    }
    this.#timers.push(setTimeout(expire, timeoutMs), setTimeout(end, Math.max(timeoutMs, firstLookMs)))
  }

  /** A state was looked at, and was not the one. */
  looked(): void {
    this.#hasLooked = true
    if (this.#isOver) this.#over.abort(new DOMException('The time is over', 'TimeoutError'))
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }
}
