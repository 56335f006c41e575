/** Reads numbers and byte strings as LevelDB writes them. What is not there ends it: `ok` is false from then on. */
export class Cursor {
  readonly bytes: Buffer
  at: number
  readonly end: number
  ok = true

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get isDone(): boolean {
    return !this.ok || this.at >= this.end
  }

  byte(): number {
    if (this.at >= this.end) return this.#fail()
    return this.bytes[this.at++] as number
  }

  /** Up to 2^53; anything larger is nothing that LevelDB has written. */
  varint(): number {
    let value = 0
    let factor = 1
    for (let n = 0; n < 8; n += 1) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    return this.#fail()
  }

  take(length: number): Buffer {
    if (length > this.end - this.at) {
      this.#fail()
      return Buffer.alloc(0)
    }
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** A byte string after its length. */
  string(): Buffer {
    return this.take(this.varint())
  }

  #fail(): number {
    this.ok = false
    this.at = this.end
    return 0
  }
}
