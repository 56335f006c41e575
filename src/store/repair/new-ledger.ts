import { seal } from '../codec.ts'
import type { Database } from '../database.ts'

const batchSize = 2_048

/** The new home's database, filled entry by entry. */
export class NewLedger {
  readonly db: Database
  #batch: { type: 'put'; key: string; value: string }[] = []

  constructor(db: Database) {
    this.db = db
  }

  async put(key: string, value: string): Promise<void> {
    this.#batch.push({ type: 'put', key, value })
    if (this.#batch.length >= batchSize) await this.flush()
  }

  putSealed(key: string, value: unknown): Promise<void> {
    return this.put(key, seal(JSON.stringify(value)))
  }

  async flush(): Promise<void> {
    await this.db.batch(this.#batch)
    this.#batch = []
  }
}
