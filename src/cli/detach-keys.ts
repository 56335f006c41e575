import { Transform } from 'node:stream'
import { InvalidArgumentError } from 'commander'

/** Ctrl-P, then Ctrl-Q */
export const usualDetachKeys = Buffer.from([0x10, 0x11])

/** Keys as docker writes them, separated by commas: a character, or `ctrl-` and one of `a` to `z` or `@[\]^_`. None: ''. */
export function keySequence(value: string): Buffer {
  if (value === '') return Buffer.alloc(0)
  const keys = value.split(',').map(key => {
    if (/^[!-~]$/.test(key)) return key.charCodeAt(0)
    const [, letter] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? []
    if (letter === undefined)
      throw new InvalidArgumentError('Give characters or ctrl-X, separated by commas, as ctrl-p,ctrl-q.')
    return letter.toUpperCase().charCodeAt(0) & 0x1f
  })
  return Buffer.from(keys)
}

/** Passes on what is typed, but for a sequence of keys; its beginning is held back until the next key tells. */
export class KeyWatch extends Transform {
  readonly #keys: Buffer
  readonly #onTyped: () => void
  #held: number[] = []

  constructor(keys: Buffer, onTyped: () => void) {
    super()
    this.#keys = keys
    this.#onTyped = onTyped
  }

  override _transform(bytes: Buffer, _: unknown, done: () => void): void {
    if (this.#keys.length === 0) this.push(bytes)
    else this.#watch(bytes)
    done()
  }

  override _flush(done: () => void): void {
    if (this.#held.length > 0) this.push(Buffer.from(this.#held))
    done()
  }

  #watch(bytes: Buffer): void {
    const passed: number[] = []
    for (const byte of bytes) {
      this.#held.push(byte)
      while (!this.#held.every((held, n) => held === this.#keys[n])) passed.push(this.#held.shift() ?? 0)
      if (this.#held.length === this.#keys.length) {
        this.#held = []
        this.#onTyped()
      }
    }
    if (passed.length > 0) this.push(Buffer.from(passed))
  }
}
