import { window } from '../images/agent-protocol.ts'

/** Credit is given back in pieces of this size, in `bytes`: a message for each byte would be a flood of its own. */
const creditBytes = window / 4

/**
 * One output of a program in a guest, read once. What is read is told to the guest, which sends more only then: at most
 * `window` bytes wait here, in one buffer, however small the pieces are in which they come.
 */
export class Output implements AsyncIterable<Uint8Array> {
  readonly #onTaken: (bytes: number) => void
  #held: Buffer | undefined
  #length = 0
  /** what the guest may still send */
  #allowance: number = window
  #taken = 0
  #isOver = false
  #isRead = false
  #isDiscarded = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(onTaken: (bytes: number) => void) {
    this.#onTaken = onTaken
  }

  /** Throws where the guest sends more than it may. */
  push(bytes: Buffer): void {
    this.#allowance -= bytes.length
    if (this.#allowance < 0) throw new Error('The guest sent more output than was asked for')
    if (this.#isDiscarded) this.#take(bytes.length)
    else {
      this.#held ??= Buffer.allocUnsafe(window)
      this.#length += bytes.copy(this.#held, this.#length)
      this.#wake?.()
    }
  }

  end(error?: Error): void {
    this.#isOver = true
    this.#error ??= error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#isRead) throw new Error('This output is read already: it can be read once')
    this.#isRead = true
    try {
      while (true) {
        if (this.#held !== undefined && this.#length > 0) {
          const bytes = Buffer.from(this.#held.subarray(0, this.#length))
          this.#length = 0
          this.#take(bytes.length)
          yield bytes
        } else if (this.#isOver || this.#isDiscarded) break
        else await new Promise<void>(resolve => (this.#wake = resolve))
      }
      if (this.#error) throw this.#error
    } finally {
      this.discard()
    }
  }

  /** Nobody wants the rest: it is taken and forgotten, so that the program goes on. Whoever reads it has come to the end. */
  discard(): void {
    this.#isRead = true
    this.#isDiscarded = true
    this.#take(this.#length)
    this.#length = 0
    this.#held = undefined
    this.#wake?.()
  }

  #take(bytes: number): void {
    this.#taken += bytes
    if (this.#taken < creditBytes || this.#isOver) return
    this.#allowance += this.#taken
    this.#onTaken(this.#taken)
    this.#taken = 0
  }
}
