import { join } from 'node:path'
import { type BoxError, noBoundary } from '../machines/index.ts'
import { closedError } from './answers.ts'
import type { Archive } from './archive/archive.ts'
import { moveBodies } from './archive/move.ts'
import type { Reading } from './archive/over.ts'
import type { ArchiveReport } from './archive/report.ts'
import { seal } from './codec.ts'
import { type CompactReport, compactDatabase, sizeOf } from './compact.ts'
import type { Database } from './database.ts'
import { compactedKey } from './keys.ts'
import type { OpenLedgerOptions, Parked } from './ledger.ts'
import { storageError } from './storage-error.ts'

/** What maintenance has to know of the ledger that it works on. */
export interface Maintained {
  readonly db: Database
  readonly archive: Archive
  readonly options: OpenLedgerOptions
  readonly reading: Reading
  /** writes something beside the chain, in turn with the records */
  readonly write: (write: () => Promise<void>) => Promise<void>
  readonly parked: () => ReadonlyMap<string, Parked>
  /** why nothing can be written, if so */
  readonly refusal: () => BoxError | undefined
  /** ends the work between two of its steps */
  readonly closed: AbortSignal
}

/** Work on an open ledger that gives space back; one at a time, beside all that goes on. */
export class Maintenance {
  readonly #ledger: Maintained
  #turn: Promise<unknown> = Promise.resolve()

  constructor(ledger: Maintained) {
    this.#ledger = ledger
  }

  /** Moves bodies of boxes that were removed before a time, in `ms since 1970`, to the archive. */
  archive(before: number): Promise<ArchiveReport> {
    const { options, archive, reading, write, db, closed } = this.#ledger
    return this.#take('Archiving', () =>
      moveBodies({
        reading,
        archive,
        before,
        now: options.now,
        engine: options.engine,
        parked: this.#ledger.parked(),
        signal: closed,
        boundary: options.boundary ?? noBoundary,
        write: entries =>
          write(() =>
            db.batch(
              entries.map(([key, value]) => ({ type: 'put', key, value })),
              { sync: true },
            ),
          ),
      }),
    )
  }

  /** Gives back the space of what was archived, overwritten or deleted. */
  compact(): Promise<CompactReport> {
    const { options, reading, write, db, closed } = this.#ledger
    const { boundary = noBoundary } = options
    const directory = join(options.home, 'ledger')
    return this.#take('Compacting the ledger', async () => {
      const before = sizeOf(directory)
      await reading(() => compactDatabase(db, closed, boundary))
      if (closed.aborted) throw closedError()
      const report: CompactReport = { before, after: sizeOf(directory) }
      const entry = { at: new Date(options.now()).toISOString(), ...report }
      // A compaction that failed shows in the next write.
      boundary('before noting the compaction')
      await write(() => db.put(compactedKey, seal(JSON.stringify(entry)), { sync: true }))
      boundary('after noting the compaction')
      return report
    })
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#turn
  }

  #take<T>(what: string, work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(async () => {
      const refusal = this.#ledger.refusal()
      if (refusal) throw refusal
      return work()
    })
    this.#turn = done.catch(() => {
      // Its caller is told.
    })
    return done.catch(error => {
      throw storageError(error, what)
    })
  }
}
