import { isObject } from './answer.ts'

/** One event of the event monitor's file. */
export interface VmmEvent {
  /** `source/event`, as `vm/booted` */
  readonly name: string
  /** where its last brace ends in the file, in `bytes` */
  readonly end: number
}

const nul = 0x00
const newline = 0x0a
const open = 0x7b
const close = 0x7d
const quote = 0x22
const backslash = 0x5c

/** An event has some 200 bytes; longer ones are not events. In `bytes`. */
const longestEvent = 64 * 1024

/** A name of an event, as cloud-hypervisor's are. */
const namePattern = /^[a-z0-9-]{1,40}$/

/**
 * Reads the event monitor's file as it grows: pretty-printed JSON objects with an empty line after each. An object that
 * is not whole yet is kept until it is. What is no event is skipped: an object begins with a brace at the start of a
 * line, where none can be within an object, so that reading finds its way again after any garbage; or behind a NUL, which
 * no JSON holds, where the file was cut. How the bytes are parted into chunks makes no difference.
 */
export class EventParser {
  /** bytes of the object that is not whole yet */
  #pending: Buffer[] = []
  #length = 0
  /** where reading is, in `bytes` */
  #at: number
  /** open braces; 0: not within an object */
  #depth = 0
  #inString = false
  #escaped = false
  /** last byte that was read */
  #last = newline

  /** @param offset where reading begins, in `bytes`; must be the end of an event */
  constructor(offset = 0) {
    this.#at = offset
  }

  push(chunk: Uint8Array): VmmEvent[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    const events: VmmEvent[] = []
    let begin = 0
    for (let n = 0; n < bytes.length; n++) {
      if (this.#depth === 0) {
        // Most of what is skipped is the hole of a file that was cut.
        const next = bytes.indexOf(open, n)
        if (next === -1) break
        n = next
      }
      const byte = bytes[n]
      if (byte === open && isLineEnd(n === 0 ? this.#last : bytes[n - 1])) {
        this.#forget()
        this.#depth = 1
        begin = n
      } else if (this.#depth === 0) continue
      else if (this.#escaped) this.#escaped = false
      else if (this.#inString) {
        if (byte === backslash) this.#escaped = true
        else if (byte === quote) this.#inString = false
      } else if (byte === quote) this.#inString = true
      else if (byte === open) this.#depth++
      else if (byte === close) this.#depth--
      this.#length++
      if (this.#depth > 0 && this.#length < longestEvent) continue
      if (this.#depth === 0) {
        const name = nameOf(Buffer.concat([...this.#pending, bytes.subarray(begin, n + 1)]))
        if (name !== undefined) events.push({ name, end: this.#at + n + 1 })
      }
      this.#forget()
    }
    if (this.#depth > 0) this.#pending.push(Buffer.from(bytes.subarray(begin)))
    this.#at += bytes.length
    this.#last = bytes.at(-1) ?? this.#last
    return events
  }

  /** Goes on elsewhere, as behind a cut, where an event may begin at once: what was begun has no end. */
  skipTo(offset: number): void {
    this.#forget()
    this.#at = offset
    this.#last = newline
  }

  #forget(): void {
    this.#pending = []
    this.#length = 0
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === newline || byte === nul
}

function nameOf(bytes: Buffer): string | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (!isObject(value)) return undefined
    const { source, event } = value
    const known = [source, event].every(part => typeof part === 'string' && namePattern.test(part))
    return known ? `${source}/${event}` : undefined
  } catch {
    return undefined
  }
}
