import type { Database } from './database.ts'
import type { Salvaged } from './salvage/entry.ts'
import { entriesOfBatch } from './salvage/write-batch.ts'

/** A disk that has failed once may fail again: the log is gone by then, and what it said is here only. */
const attempts = 5

/**
 * Opening, LevelDB leaves out a log that it cannot open or read at that moment, in silence, and then deletes it (1.20,
 * `MaybeIgnoreError`). The same logs were read just before: where the database does not say what they end with, all that
 * they said is written once more.
 *
 * @param logs the batches in each log, oldest first
 */
export async function writeLeftOutLogs(db: Database, logs: readonly (readonly Buffer[])[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      if (await isLeftOut(db, logs)) await writeAll(db, logs)
      return
    } catch (error) {
      if (attempt === attempts) throw error
    }
}

async function writeAll(db: Database, logs: readonly (readonly Buffer[])[]): Promise<void> {
  for (const batch of logs.flat())
    await db.batch(
      [...entriesOfBatch(batch)].map(({ key, value }) =>
        value === undefined ? { type: 'del', key } : { type: 'put', key, value },
      ),
      { sync: true },
    )
}

/** Whether a log's last write is missing: the last of those that no later log has written over. */
async function isLeftOut(db: Database, logs: readonly (readonly Buffer[])[]): Promise<boolean> {
  const later = new Set<string>()
  for (const batches of [...logs].reverse()) {
    const last = lastBut(later, batches)
    if (last !== undefined && (await db.get(last.key)) !== last.value) return true
    if (logs.length > 1)
      for (const batch of batches) for (const { key } of entriesOfBatch(batch)) later.add(key)
  }
  return false
}

function lastBut(later: ReadonlySet<string>, batches: readonly Buffer[]): Salvaged | undefined {
  for (const batch of [...batches].reverse()) {
    const last = [...entriesOfBatch(batch)].findLast(({ key }) => !later.has(key))
    if (last !== undefined) return last
  }
  return undefined
}
