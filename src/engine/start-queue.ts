/** Lets at most so many starts go on at once; the others wait their turn in order. */
export class StartQueue {
  readonly #limit: number
  readonly #holders = new Set<string>()
  readonly #waiting = new Map<string, () => void>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Calls `begin` when it is the box's turn; a box that holds a place already goes at once. */
  enter(box: string, begin: () => void): void {
    this.#waiting.delete(box)
    if (this.#holders.has(box) || this.#holders.size < this.#limit) {
      this.#holders.add(box)
      begin()
      return
    }
    this.#waiting.set(box, begin)
  }

  /** Counts a start that an earlier engine began. */
  hold(box: string): void {
    this.#holders.add(box)
  }

  leave(box: string): void {
    this.#waiting.delete(box)
    if (!this.#holders.delete(box)) return
    const [next] = this.#waiting
    if (next === undefined || this.#holders.size >= this.#limit) return
    this.enter(...next)
  }
}
