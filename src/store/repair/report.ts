import type { Problem } from '../ledger.ts'
import type { FileDamage } from '../salvage/salvage.ts'

/** Positions in a row, both inclusive. */
export interface Positions {
  readonly from: number
  readonly to: number
}

/** What a repair has made of a damaged home. */
export interface RepairReport {
  /** good records, all of which the new home has */
  readonly records: number
  /** boxes that the new home knows, parked and removed ones included */
  readonly boxes: number
  /** boxes with a record that is lost; what is good of them is in the new home too */
  readonly parked: readonly { readonly box: string; readonly position?: number; readonly reason: string }[]
  /** positions that have no record any more */
  readonly lost: readonly Positions[]
  /**
   * how many of these nothing tells whose they were: a box that is not parked may have had one after all that are left
   * of it, or may not be known at all
   */
  readonly unknown: number
  /** frames that were lost, and were made anew as they were, which is proven by their hashes */
  readonly rebuilt: number
  /** positions whose record is good, and whose frame was made anew without a proof */
  readonly unproven: readonly Positions[]
  /** last position */
  readonly position: number
  /** damage in the files of the old home, as far as it shows in their own checksums */
  readonly files: readonly FileDamage[]
  /** what `verify` finds in the new home, beside the parked boxes; mostly nothing */
  readonly problems: readonly Problem[]
}

/** Positions that follow each other are one range. */
export function rangesOf(all: readonly Positions[]): Positions[] {
  const ranges: Positions[] = []
  for (const { from, to } of [...all].sort((a, b) => a.from - b.from)) {
    const last = ranges.at(-1)
    if (last !== undefined && from === last.to + 1) ranges[ranges.length - 1] = { from: last.from, to }
    else ranges.push({ from, to })
  }
  return ranges
}
