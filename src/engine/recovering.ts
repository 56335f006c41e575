/** Boxes that the host is being asked about, and who waits for the answer. */
export class Recovering {
  readonly #asked = new Map<string, { readonly answered: Promise<void>; readonly answer: () => void }>()

  begin(box: string): void {
    let answer = () => {}
    const answered = new Promise<void>(resolve => {
      answer = resolve
    })
    this.#asked.set(box, { answered, answer })
  }

  has(box: string): boolean {
    return this.#asked.has(box)
  }

  /** Resolves at once for a box that nobody asked about. */
  answered(box: string): Promise<void> | undefined {
    return this.#asked.get(box)?.answered
  }

  /** False if nobody had asked. */
  end(box: string): boolean {
    const asked = this.#asked.get(box)
    this.#asked.delete(box)
    asked?.answer()
    return asked !== undefined
  }

  endAll(): void {
    for (const box of [...this.#asked.keys()]) this.end(box)
  }
}
