import type { Beside } from '../beside.ts'
import type { Database } from '../database.ts'
import type { Parked, Problem } from '../ledger.ts'

/** A database as it was at one moment, to check while it is written to. */
export interface Still {
  readonly db: Database
  readonly at: { readonly snapshot: ReturnType<Database['snapshot']> }
  readonly beside: Beside
  /** boxes whose damage a repair has declared: it is not told anew */
  readonly declared: ReadonlyMap<string, Parked>
  /** segments of the archive that records were found to lead to */
  readonly referred: Set<number>
  /** how many commands of records were found to have their entries */
  readonly commands: { found: number }
}

export type Report = (problem: Problem) => void

/** Whether something was found that may be wrong: all who look for it stop then. */
export interface Doubt {
  isCast: boolean
}
