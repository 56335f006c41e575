import { decodeCount, seal } from './codec.ts'
import type { Database } from './database.ts'
import { bodiesOfExecutions, executionCounts, executionsKey, partsOfBodyKey, suffixOf } from './keys.ts'
import { entryPages, keyPages } from './scan.ts'

/** How many executions living boxes have had; a number that is damaged is counted anew. */
export async function loadExecutionCounts(db: Database): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const damaged: string[] = []
  for await (const page of entryPages(db, executionCounts))
    for (const [key, sealed] of page) {
      const count = decodeCount(sealed)
      if (count === undefined) damaged.push(suffixOf(key))
      else counts.set(suffixOf(key), count)
    }
  for (const box of damaged) {
    const count = await countExecutions(db, box)
    if (count > 0) await db.put(executionsKey(box), seal(String(count)), { sync: true })
    else await db.del(executionsKey(box), { sync: true })
    counts.set(box, count)
  }
  return counts
}

/** How many executions a box has had, by what is recorded of them. */
async function countExecutions(db: Database, box: string): Promise<number> {
  let count = 0
  let last = ''
  for await (const page of keyPages(db, bodiesOfExecutions(box)))
    for (const key of page) {
      const { box: stream } = partsOfBodyKey(key)
      if (stream !== last) count += 1
      last = stream
    }
  return count
}
