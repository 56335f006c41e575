import type { Head, LedgerRecord } from '../machines/index.ts'
import type { Beside } from './beside.ts'
import { corrupt } from './chain.ts'
import { decodeSealed } from './codec.ts'
import type { Database } from './database.ts'
import { loadRemovedHead } from './heads.ts'
import { commandKey } from './keys.ts'
import type { ReadOptions } from './ledger.ts'
import { readBoxPage, readPage } from './read.ts'
import { storageError } from './storage-error.ts'
import type { Tail } from './tail-file.ts'

/** What a reader has to know of the ledger that it reads. */
export interface Source {
  readonly beside: Beside
  tail(): Tail
  head(box: string): Head | undefined
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

  async removedHead(box: string): Promise<Head | undefined> {
    const head = await this.reading(db => loadRemovedHead(db, box))
    if (head === 'damaged') throw corrupt(`The head of the removed box ${box} is damaged`, { box })
    return head
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
      for await (const record of this.history(box)) {
        if (record.position > (to ?? Number.POSITIVE_INFINITY)) return
        if (record.position >= from) yield record
      }
      return
    }
    let next = Math.max(1, from)
    while (next <= Math.min(to ?? Number.POSITIVE_INFINITY, this.#source.tail().position)) {
      const page = await this.reading(db =>
        readPage(db, next, to ?? Number.MAX_SAFE_INTEGER, this.#source.tail(), this.#source.beside),
      )
      const { records, damage } = page
      next = page.next
      yield* records
      if (damage) throw damage
    }
  }

  async *history(box: string): AsyncGenerator<LedgerRecord> {
    let next = 1
    let tail = this.#source.tail()
    for (let ended = false; !ended; ) {
      tail = this.#source.tail()
      const { records, damage } = await this.reading(db =>
        readBoxPage(db, box, next, tail, this.#source.beside),
      )
      next += records.length
      yield* records
      if (damage) throw damage
      ended = records.length === 0
    }
    const head = this.#source.head(box) ?? (await this.removedHead(box))
    // A head beyond the tail of the last page was committed meanwhile.
    if (head && head.version >= next && head.position <= tail.position)
      throw corrupt(`Version ${next} of box ${box} is missing`, { box, version: next })
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
