import { seal } from '../codec.ts'
import type { Database } from '../database.ts'

const batchSize = 2_048

export interface Put {
  readonly type: 'put'
  readonly key: string
  readonly value: string
}

/** The new home's database, filled entry by entry. */
export class NewLedger {
  readonly db: Database
  readonly #write: (puts: readonly Put[]) => Promise<void>
  #batch: Put[] = []

  /** `write`: how a batch is written; default without a sync */
  constructor(db: Database, write = (puts: readonly Put[]) => db.batch([...puts])) {
    this.db = db
    this.#write = write
  }

  async put(key: string, value: string): Promise<void> {
    this.#batch.push({ type: 'put', key, value })
    if (this.#batch.length >= batchSize) await this.flush()
  }

  putSealed(key: string, value: unknown): Promise<void> {
    return this.put(key, seal(JSON.stringify(value)))
  }

  async flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    if (batch.length > 0) await this.#write(batch)
  }
}
