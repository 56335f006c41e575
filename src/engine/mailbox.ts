/** What one box does, one thing after the other. */
export class Mailbox {
  readonly #onIdle: () => void
  #last: Promise<unknown> | undefined

  /** @param onIdle called whenever no turn is left: there may be as many boxes as anybody can think of IDs */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  /** Runs a turn once all earlier ones are over, whatever became of them. */
  run<T>(turn: () => Promise<T>): Promise<T> {
    const mine = this.#last === undefined ? turn() : this.#last.then(turn, turn)
    const settled: Promise<void> = mine.then(
      () => this.#done(settled),
      () => this.#done(settled),
    )
    this.#last = settled
    return mine
  }

  /** Resolves when no turn is left. */
  async idle(): Promise<void> {
    while (this.#last !== undefined) await this.#last
  }

  #done(settled: Promise<unknown>): void {
    if (this.#last !== settled) return
    this.#last = undefined
    this.#onIdle()
  }
}
