import { MEMORY_ID } from './qemu-memory.ts'

/** Beginning of a stream, and its version: QEMU's `docs/devel/migration`, `migration/savevm.c` and `migration/ram.c`. */
const MAGIC = 0x5145_564d
const VERSION = 3

const SECTION = { start: 1, part: 2, end: 3, subsection: 5, configuration: 7, command: 8, footer: 0x7e }
const PAGE = { zero: 0x02, sizes: 0x04, whole: 0x08, endOfSection: 0x10, sameBlock: 0x20 }

/** Of the guest, in `bytes`. */
export const PAGE_BYTES = 4096

/** Bytes of memory that belong together. */
export interface Run {
  readonly at: number
  readonly pages: Buffer[]
}

/** Gives how many bytes it needs next, and is given them. */
type Reader = Generator<number, void, Buffer>

/**
 * Takes the guest's memory out of the migration stream of a QEMU that leaves out what is shared (`x-ignore-shared`), so
 * that it can be mapped. What is left of the stream is that of a guest with a memory of which there was nothing to send.
 */
export class StreamSplitter {
  /** length of the memory, in `bytes` */
  size = 0
  /** the stream without the memory */
  readonly #rest: Buffer[] = []
  readonly #reader: Reader = this.#readSections()
  #runs: Run[] = []
  #wanted: number
  #isMemoryOver = false
  /** what came, and was not read yet */
  #ahead: Buffer[] = []
  #aheadBytes = 0
  /** a bit for each page that had something in it */
  #written = new Uint8Array(0)
  #block = ''

  constructor() {
    this.#wanted = this.#reader.next().value ?? 0
  }

  /** Throws where the stream is not understood. Gives what of the memory was in this piece. */
  push(piece: Buffer): Run[] {
    if (this.#isMemoryOver) {
      this.#rest.push(piece)
      return []
    }
    this.#ahead.push(piece)
    this.#aheadBytes += piece.length
    if (this.#aheadBytes < this.#wanted) return []
    let left = this.#ahead.length === 1 ? piece : Buffer.concat(this.#ahead)
    while (!this.#isMemoryOver && left.length >= this.#wanted) {
      const taken = left.subarray(0, this.#wanted)
      left = left.subarray(this.#wanted)
      const next = this.#reader.next(taken)
      if (next.done) this.#isMemoryOver = true
      else this.#wanted = next.value
    }
    this.#ahead = [left]
    this.#aheadBytes = left.length
    if (this.#isMemoryOver) this.#rest.push(left)
    const runs = this.#runs
    this.#runs = []
    return runs
  }

  /** The stream without the memory. Throws if it ended before that did. */
  end(): Buffer {
    if (!this.#isMemoryOver || this.size === 0) throw new Error("QEMU's stream has ended within its memory")
    return Buffer.concat(this.#rest)
  }

  *#keep(bytes: number): Generator<number, Buffer, Buffer> {
    const kept = yield bytes
    this.#rest.push(kept)
    return kept
  }

  *#keepWord(): Generator<number, number, Buffer> {
    return (yield* this.#keep(4)).readUInt32BE()
  }

  *#keepByte(): Generator<number, number, Buffer> {
    return (yield* this.#keep(1)).readUInt8()
  }

  *#keepName(): Generator<number, string, Buffer> {
    return (yield* this.#keep(yield* this.#keepByte())).toString('latin1')
  }

  *#readSections(): Reader {
    if ((yield* this.#keepWord()) !== MAGIC || (yield* this.#keepWord()) !== VERSION)
      throw new Error("QEMU's stream is of another kind than this program knows")
    for (;;) {
      const type = yield* this.#keepByte()
      if (type === SECTION.configuration) yield* this.#keep(yield* this.#keepWord())
      else if (type === SECTION.subsection) yield* this.#readSubsection()
      else if (type === SECTION.command) {
        yield* this.#keep(2)
        yield* this.#keep((yield* this.#keep(2)).readUInt16BE())
      } else if (type === SECTION.start || type === SECTION.part || type === SECTION.end) {
        yield* this.#readSection(type)
        if (type === SECTION.end) return
      } else throw unknown('section', type)
    }
  }

  /** Of the configuration. */
  *#readSubsection(): Reader {
    const name = yield* this.#keepName()
    yield* this.#keep(4)
    if (name === 'configuration/capabilities')
      for (let count = yield* this.#keepWord(); count > 0; count -= 1) yield* this.#keepName()
    else if (name === 'configuration/target-page-bits') yield* this.#keep(4)
    else throw unknown('subsection', name)
  }

  *#readSection(type: number): Reader {
    yield* this.#keep(4)
    if (type === SECTION.start) {
      const name = yield* this.#keepName()
      if (name !== 'ram') throw unknown('section', name)
      yield* this.#keep(8)
    }
    yield* this.#readPages()
    const footer = yield* this.#keepByte()
    if (footer !== SECTION.footer) throw unknown('footer', footer)
    yield* this.#keep(4)
  }

  *#readPages(): Reader {
    for (;;) {
      const head = yield 8
      const low = head.readUInt32BE(4)
      const flags = low % PAGE_BYTES
      const at = head.readUInt32BE() * 2 ** 32 + low - flags
      if (flags === PAGE.endOfSection || flags === PAGE.sizes) {
        this.#rest.push(head)
        if (flags === PAGE.endOfSection) return
        yield* this.#readSizes(at)
      } else yield* this.#readPage(head, at, flags)
    }
  }

  /** The blocks of memory that there are, which are so many bytes together. */
  *#readSizes(total: number): Reader {
    for (let left = total; left > 0; ) {
      const name = yield* this.#keepName()
      const bytes = Number((yield* this.#keep(8)).readBigUInt64BE())
      // Where it is, which is told with `x-ignore-shared`.
      yield* this.#keep(8)
      if (name === MEMORY_ID) {
        this.size = bytes
        this.#written = new Uint8Array(Math.ceil(bytes / PAGE_BYTES / 8))
      }
      left -= bytes
    }
  }

  *#readPage(head: Buffer, at: number, flags: number): Reader {
    const before = [head]
    if ((flags & PAGE.sameBlock) === 0) {
      const length = yield 1
      const name = yield length.readUInt8()
      before.push(length, name)
      this.#block = name.toString('latin1')
    }
    const kind = flags & ~PAGE.sameBlock
    if (kind !== PAGE.zero && kind !== PAGE.whole) throw unknown('page', flags)
    const content = yield kind === PAGE.zero ? 1 : PAGE_BYTES
    if (this.#block !== MEMORY_ID) this.#rest.push(...before, content)
    else if (kind === PAGE.whole) this.#take(at, content)
    else if (content[0] !== 0) throw unknown('page that is full of', content[0] ?? '')
    else if (this.#isWritten(at)) this.#take(at, Buffer.alloc(PAGE_BYTES))
  }

  /** A page can come again, if it has changed meanwhile. */
  #take(at: number, page: Buffer): void {
    if (at + page.length > this.size) throw unknown('place in memory', at)
    const number = at / PAGE_BYTES
    this.#written[number >> 3] = (this.#written[number >> 3] ?? 0) | (1 << (number & 7))
    const last = this.#runs.at(-1)
    if (last && last.at + last.pages.length * PAGE_BYTES === at) last.pages.push(page)
    else this.#runs.push({ at, pages: [page] })
  }

  #isWritten(at: number): boolean {
    const number = at / PAGE_BYTES
    return ((this.#written[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }
}

function unknown(what: string, value: string | number): Error {
  return new Error(`QEMU's stream has a ${what} ${value} that this program does not know`)
}
