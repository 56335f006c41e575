import { BoxError } from '../../machines/index.ts'
import { seal } from '../codec.ts'
import type { Database } from '../database.ts'
import {
  bodies,
  commands,
  executionCounts,
  frames,
  importingKey,
  livingHeads,
  losses,
  names,
  parkedBoxes,
  removedHeads,
} from '../keys.ts'

/** All that an import writes before it counts. */
const ranges = [
  ...[frames, bodies, livingHeads, removedHeads, executionCounts, names, commands],
  ...[losses, parkedBoxes],
]

/** Notes durably that nothing in the database counts. Throws `INVALID_STATE` if it holds anything. */
export async function beginImport(db: Database, at: string, engine: string, sync: boolean): Promise<void> {
  for (const range of ranges) {
    const [key] = await db.keys({ ...range, limit: 1 }).all()
    if (key !== undefined)
      throw new BoxError('INVALID_STATE', 'Only an empty home takes an import: this one has a ledger already')
  }
  await db.put(importingKey, seal(JSON.stringify({ at, engine })), { sync })
}

/** Throws away what an import has left that was cut off, or has failed: the ledger is as empty as it was. */
export async function discardImport(db: Database, sync = true): Promise<void> {
  if (!(await db.has(importingKey))) return
  for (const range of ranges) await db.clear(range)
  await db.del(importingKey, { sync })
}
