import type { RunningCommand } from './running-command.ts'

/**
 * One output of a command, read once: by iteration, or as text. What is not read is taken only when it is to be kept; then
 * at most so many bytes are held, and the rest is dropped, so that the command goes on.
 */
export class ExecutionOutput implements AsyncIterable<Uint8Array> {
  readonly #source: Promise<AsyncIterable<Uint8Array>>
  readonly #maxBytes: number
  #isRead = false
  #isTruncated = false
  #kept: Uint8Array[] = []
  #keptBytes = 0
  #keeping: Promise<void> | undefined
  #isKept = false
  #wake: () => void = () => {}

  constructor(running: Promise<RunningCommand>, name: 'stdout' | 'stderr', maxBytes: number) {
    this.#source = running.then(found => found[name])
    this.#source.catch(() => {}) // told to whoever reads
    this.#maxBytes = maxBytes
  }

  /** More came than was kept. */
  get isTruncated(): boolean {
    return this.#isTruncated
  }

  /** From now on what nobody reads is kept here. */
  keep(): void {
    if (this.#isRead || this.#keeping !== undefined) return
    this.#keeping = this.#take()
    this.#keeping.catch(() => {}) // the same
  }

  /** All of it, as UTF-8; empty where it is read in another way. */
  async text(): Promise<string> {
    if (this.#isRead) return ''
    this.keep()
    await this.#keeping
    this.#isRead = true
    const text = Buffer.concat(this.#kept).toString('utf8')
    this.#kept = []
    return text
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isRead) throw new Error('This output is read already: it can be read once')
    this.#isRead = true
    if (this.#keeping === undefined) yield* await this.#source
    else yield* this.#whatIsKept(this.#keeping)
  }

  async *#whatIsKept(keeping: Promise<void>): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const bytes = this.#kept.shift()
      if (bytes !== undefined) {
        this.#keptBytes -= bytes.length
        yield bytes
      } else if (this.#isKept) break
      else
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
    }
    await keeping
  }

  async #take(): Promise<void> {
    try {
      for await (const bytes of await this.#source) {
        const room = Math.max(0, this.#maxBytes - this.#keptBytes)
        if (bytes.length > room) this.#isTruncated = true
        if (room > 0) this.#kept.push(bytes.length > room ? bytes.slice(0, room) : bytes)
        this.#keptBytes += Math.min(bytes.length, room)
        this.#wake()
      }
    } finally {
      this.#isKept = true
      this.#wake()
    }
  }
}
