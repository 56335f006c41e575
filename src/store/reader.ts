import { type Head, isExecutionHead, type LedgerRecord, partsOf, type StreamHead } from '../machines/index.ts'
import type { Beside } from './beside.ts'
import { type BoxPositions, positionsOf } from './box-positions.ts'
import { corrupt } from './chain.ts'
import { decodeSealed } from './codec.ts'
import type { Database } from './database.ts'
import { exportLines } from './export/export.ts'
import { loadRemovedHead } from './heads.ts'
import { commandKey } from './keys.ts'
import type { Parked, ReadOptions } from './ledger.ts'
import { pageSize, readPage, readPlaces, readStreamPage } from './read.ts'
import { storageError } from './storage-error.ts'
import type { Tail } from './tail-file.ts'

/** What a reader has to know of the ledger that it reads. */
export interface Source {
  beside(): Beside
  tail(): Tail
  /** of a stream that is not over */
  head(stream: string): StreamHead | undefined
  /** how many executions a box has had that is not removed */
  executions(box: string): number
  /** resolves when the database can be read; rejects with the reason why it cannot be */
  ready(): Promise<void>
}

/** Reads of an open ledger, in pages, each of which stands for itself: no iterator outlives it. */
export class Reader {
  readonly #db: Database
  readonly #source: Source

  constructor(db: Database, source: Source) {
    this.#db = db
    this.#source = source
  }

  /** What a reading proves records by. */
  ground(): { readonly tail: Tail; readonly beside: Beside } {
    return { tail: this.#source.tail(), beside: this.#source.beside() }
  }

  /** Version of the last record that a stream's head tells of; 0: there is no head. */
  async versionOf(stream: string): Promise<number> {
    return (this.#source.head(stream) ?? (await this.#headOfOver(stream)))?.version ?? 0
  }

  async removedHead(box: string): Promise<Head | undefined> {
    const head = await this.#headOfOver(box)
    return head === undefined || isExecutionHead(head) ? undefined : head
  }

  async command(commandId: string): Promise<{ readonly box: string; readonly position: number } | undefined> {
    const sealed = await this.reading(db => db.get(commandKey(commandId)))
    if (sealed === undefined) return undefined
    const entry = decodeSealed(sealed) as { box: string; position: number } | undefined
    if (entry === undefined) throw corrupt(`The entry of command ${commandId} is damaged`, { commandId })
    return entry
  }

  async *read({ from = 1, to, box }: ReadOptions = {}): AsyncGenerator<LedgerRecord> {
    if (box !== undefined) {
      yield* this.#readBox(box, from, to)
      return
    }
    let next = Math.max(1, from)
    while (next <= Math.min(to ?? Number.POSITIVE_INFINITY, this.#source.tail().position)) {
      const page = await this.reading(db =>
        readPage(db, next, to ?? Number.MAX_SAFE_INTEGER, this.#source.tail(), this.#source.beside()),
      )
      const { records, damage } = page
      next = page.next
      yield* records
      if (damage) throw damage
    }
  }

  /** A box with its executions. What comes while it reads it leaves to the next reading. */
  async *#readBox(box: string, from: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<LedgerRecord> {
    const tail = this.#source.tail()
    const { positions, damage } = await this.#placesOf(box, Math.min(to, tail.position))
    for (let at = positions.findIndex(position => position >= from); at >= 0 && at < positions.length; ) {
      const places = [...positions.subarray(at, at + pageSize)]
      const page = await this.reading(db => readPlaces(db, places, tail, this.#source.beside()))
      for (const record of page.records) {
        // A damaged key has led to a record of another.
        if (record.box !== box) throw corrupt(`A record of box ${box} is missing`, { box })
        yield record
      }
      if (page.damage) throw page.damage
      at += places.length
    }
    if (damage) throw damage
  }

  /** Where the records of a box are up to a position, and whether that is all that heads and counts tell of. */
  async #placesOf(box: string, last: number): Promise<BoxPositions> {
    const isAll = last >= this.#source.tail().position
    const living = this.#source.head(box)
    const begun = this.#source.executions(box)
    const head = living ?? (await this.#headOfOver(box))
    const isTold = isAll && head !== undefined && !isExecutionHead(head) && head.position <= last
    const executions = isTold && living === undefined ? (head.executions ?? 0) : begun
    const expected = isTold ? { version: head.version, executions } : undefined
    return this.reading(db => positionsOf(db, box, last, expected))
  }

  async *history(stream: string): AsyncGenerator<LedgerRecord> {
    let next = 1
    let tail = this.#source.tail()
    for (let ended = false; !ended; ) {
      tail = this.#source.tail()
      const { records, damage } = await this.reading(db =>
        readStreamPage(db, stream, next, tail, this.#source.beside()),
      )
      next += records.length
      yield* records
      if (damage) throw damage
      ended = records.length === 0
    }
    await this.#assertWhole(stream, next, tail)
  }

  /** All of it, or one box, in pages of lines; see `Ledger.export`. */
  async *export({
    box,
    upTo,
    parked,
  }: {
    readonly box?: string
    readonly upTo?: Tail
    readonly parked: ReadonlyMap<string, Parked>
  }): AsyncGenerator<string[], void, undefined> {
    await this.#source.ready()
    const tail = upTo ?? this.#source.tail()
    yield* exportLines(box, {
      reading: read => this.reading(read),
      placesOf: id => this.#placesOf(id, tail.position),
      tail,
      beside: this.#source.beside(),
      parked,
    })
  }

  /** `next`: the version after the last that was found. */
  async #assertWhole(stream: string, next: number, tail: Tail): Promise<void> {
    const head = this.#source.head(stream) ?? (await this.#headOfOver(stream))
    // A head beyond the tail of the last page was committed meanwhile.
    if (head && head.version >= next && head.position <= tail.position)
      throw corrupt(`Version ${next} of ${stream} is missing`, { ...partsOf(stream), version: next })
  }

  async #headOfOver(stream: string): Promise<StreamHead | undefined> {
    const head = await this.reading(db => loadRemovedHead(db, stream))
    if (head === 'damaged')
      throw corrupt(`The head of ${stream}, which is over, is damaged`, { ...partsOf(stream) })
    return head
  }

  /** Reads wait for a recovery, and are done again if one began under them. */
  async reading<T>(read: (db: Database) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#source.ready()
      try {
        return await read(this.#db)
      } catch (error) {
        // If it is closed by now, this throws what a reader has to know.
        await this.#source.ready()
        if (!wasClosed(error)) throw storageError(error, 'Reading the ledger')
      }
    }
  }
}

/** The database was closed under a read, to be opened anew. */
function wasClosed(error: unknown): boolean {
  return error instanceof Error && /^LEVEL_.*_NOT_OPEN$/.test((error as { code?: string }).code ?? '')
}
