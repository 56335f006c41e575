/** How far one stream is read. */
export interface Reading {
  /** all up to this position has been handed on */
  at(position: number): void
  end(): void
}

class Followed implements Reading {
  readonly box: string | undefined
  readonly #onEnd: () => void
  #position = 0
  #wakers: { readonly position: number; readonly wake: () => void }[] = []

  constructor(box: string | undefined, onEnd: () => void) {
    this.box = box
    this.#onEnd = onEnd
  }

  at(position: number): void {
    this.#position = position
    const due = this.#wakers.filter(waker => waker.position <= position)
    if (due.length === 0) return
    this.#wakers = this.#wakers.filter(waker => waker.position > position)
    for (const { wake } of due) wake()
  }

  end(): void {
    this.#onEnd()
    this.at(Number.POSITIVE_INFINITY)
  }

  async reached(position: number): Promise<void> {
    if (this.#position < position)
      await new Promise<void>(wake => {
        this.#wakers.push({ position, wake })
      })
  }
}

/**
 * How far the actors and observables of one connection are: as in the owner's own process, what a call has done is seen
 * in them before the call is done.
 */
export class Progress {
  readonly #readings = new Set<Followed>()

  /** Hands on what tells of one box, or of all; what is handed on counts once it is taken. */
  async *follow<T extends { readonly position: number }>(
    box: string | undefined,
    values: AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const reading = this.begin(box)
    try {
      for await (const value of values) {
        yield value
        reading.at(value.position)
      }
    } finally {
      reading.end()
    }
  }

  /** A stream of one box, or of all. */
  begin(box?: string): Reading {
    const reading = new Followed(box, () => this.#readings.delete(reading))
    this.#readings.add(reading)
    return reading
  }

  /** Resolves when all streams that tell of the box have told what is at `position`, or have ended. */
  async reached(box: string, position: number): Promise<void> {
    const telling = [...this.#readings].filter(reading => (reading.box ?? box) === box)
    await Promise.all(telling.map(reading => reading.reached(position)))
  }
}
