import { BoxError } from '../../machines/index.ts'
import type { Ground } from '../ground.ts'
import type { OpenLedgerOptions } from '../ledger.ts'
import { type Loaded, load } from '../load.ts'
import { storageError } from '../storage-error.ts'
import { importLines } from './import.ts'
import type { ImportReport } from './report.ts'

/** What an import asks of the open ledger that it fills. */
export interface Filled {
  /** why it cannot begin, if so */
  readonly refusal: () => BoxError | undefined
  readonly write: (write: () => Promise<void>) => Promise<void>
  /** fires when the ledger closes */
  readonly closed: AbortSignal
  /** goes on from what was imported */
  readonly begin: (imported: Loaded) => void
}

/** Imports into an open ledger: one, mostly. */
export class Imports {
  readonly #ground: Ground
  readonly #options: OpenLedgerOptions
  readonly #ledger: Filled
  #underway: Promise<unknown> | undefined

  constructor(ground: Ground, options: OpenLedgerOptions, ledger: Filled) {
    this.#ground = ground
    this.#options = options
    this.#ledger = ledger
  }

  /** Why nothing else is written meanwhile. */
  get refusal(): BoxError | undefined {
    if (this.#underway === undefined) return undefined
    return new BoxError('INVALID_STATE', 'An import into the home is under way')
  }

  notEmpty(records: number): BoxError | undefined {
    if (records === 0) return undefined
    return new BoxError('INVALID_STATE', 'Only an empty home takes an import: this one has a ledger already')
  }

  async take(lines: AsyncIterable<string>): Promise<ImportReport> {
    const refusal = this.#ledger.refusal()
    if (refusal) throw refusal
    const work = this.#fill(lines)
    this.#underway = work.catch(() => {
      // Its caller is told.
    })
    try {
      return await work
    } catch (error) {
      throw storageError(error, 'Importing')
    } finally {
      this.#underway = undefined
    }
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#underway
  }

  async #fill(lines: AsyncIterable<string>): Promise<ImportReport> {
    const ground = this.#ground
    const { db, archive, schema } = ground
    const { now, durability } = this.#options
    const { report, ownership } = await importLines({
      ...{ db, lines, schema, ownership: ground.ownership },
      write: this.#ledger.write,
      sync: durability !== 'process',
      at: new Date(now()).toISOString(),
      signal: this.#ledger.closed,
    })
    ground.ownership = ownership
    ground.loaded = await load(db, undefined, { archive, schema })
    this.#ledger.begin(ground.loaded)
    return report
  }
}
