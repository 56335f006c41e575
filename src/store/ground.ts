import type { Schema } from '../machines/index.ts'
import type { Archive } from './archive/archive.ts'
import type { Database } from './database.ts'
import type { Ownership } from './journal.ts'
import type { PreviousOwner } from './ledger.ts'
import type { Loaded } from './load.ts'
import type { Lock } from './lock.ts'
import type { Medium } from './medium.ts'
import type { TailFile } from './tail-file.ts'

/** What an open ledger stands on; it closes all of it. */
export interface Ground {
  readonly db: Database
  readonly lock: Lock
  readonly tailFile: TailFile
  readonly medium: Medium
  readonly archive: Archive
  readonly schema: Schema
  /** an import puts other ones in their places */
  ownership: Ownership
  readonly previous: PreviousOwner | undefined
  loaded: Loaded
  readonly isAtHome: boolean
  /** the disk has no room for the ballast */
  readonly isFull: boolean
}
