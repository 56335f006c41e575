import { isObject } from './answer.ts'

/** One event of the event monitor's file. */
export interface VmmEvent {
  /** `source/event`, as `vm/booted` */
  readonly name: string
  /** where its last brace ends in the file, in `bytes` */
  readonly end: number
}

const newline = 0x0a
const open = 0x7b
const close = 0x7d
const quote = 0x22
const backslash = 0x5c

/** An event has some 200 bytes; longer ones are not events. In `bytes`. */
const longestEvent = 64 * 1024

/**
 * Reads the event monitor's file as it grows: pretty-printed JSON objects with an empty line after each. An object that
 * is not whole yet is kept until it is. What is no event is skipped: an object begins with a brace at the start of a
 * line, where none can be within an object, so that reading finds its way again after any garbage.
 */
export class EventParser {
  #pending: Buffer = Buffer.alloc(0)
  #base: number

  /** @param offset where reading begins, in `bytes`; must be the end of an event */
  constructor(offset = 0) {
    this.#base = offset
  }

  push(chunk: Uint8Array): VmmEvent[] {
    const bytes = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk])
    const events: VmmEvent[] = []
    let begin = -1
    let depth = 0
    let inString = false
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      const atLineStart = at === 0 || bytes[at - 1] === newline
      if (byte === open && atLineStart) {
        begin = at
        depth = 1
        inString = false
      } else if (begin === -1) {
      } else if (inString) {
        if (byte === backslash) at++
        else if (byte === quote) inString = false
      } else if (byte === quote) inString = true
      else if (byte === open) depth++
      else if (byte === close && --depth === 0) {
        const name = nameOf(bytes.subarray(begin, at + 1))
        if (name !== undefined) events.push({ name, end: this.#base + at + 1 })
        begin = -1
      }
    }
    this.#keep(bytes, begin)
    return events
  }

  #keep(bytes: Buffer, begin: number): void {
    // With nothing begun the last byte is kept: a line feed tells that the next brace begins a line.
    let from = begin === -1 ? Math.max(0, bytes.length - 1) : begin
    if (bytes.length - from > longestEvent) from = bytes.length - 1
    this.#pending = Buffer.from(bytes.subarray(from))
    this.#base += from
  }
}

function nameOf(bytes: Buffer): string | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (!isObject(value)) return undefined
    const { source, event } = value
    return typeof source === 'string' && typeof event === 'string' ? `${source}/${event}` : undefined
  } catch {
    return undefined
  }
}
