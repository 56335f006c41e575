/** Boxes whose VMM lives and does not answer. */
export class Silence {
  readonly #silent = new Set<string>()
  readonly #onChange: (box: string) => void

  constructor(onChange: (box: string) => void) {
    this.#onChange = onChange
  }

  has(box: string): boolean {
    return this.#silent.has(box)
  }

  /** Its VMM is over: it is not silent any more, which nobody needs to be told. */
  forget(box: string): void {
    this.#silent.delete(box)
  }

  heard(box: string, responding: boolean): void {
    if (responding ? !this.#silent.delete(box) : this.#silent.has(box)) return
    if (!responding) this.#silent.add(box)
    this.#onChange(box)
  }
}
