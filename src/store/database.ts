import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { BoxError } from '../machines/index.ts'
import { type CheckOptions, checkFiles } from './check-files/check.ts'
import { checkedTablesIn } from './check-files/checked-tables.ts'
import { writeLeftOutLogs } from './left-out-log.ts'
import { keepPrivate } from './private-files.ts'
import { storageError } from './storage-error.ts'

/** Blocks that are kept at hand: records are read by position, and their bodies lie by box. */
const cacheBytes = 32 << 20

export type Database = Level<string, string>
export type Batch = ReturnType<typeof newBatch>

/** A batch that is filled bit by bit: about eight times cheaper than an array of operations. */
export function newBatch(db: Database) {
  return db.batch()
}

/**
 * Opens the database in a directory; `known` is the last position that the tail file has, 0 if none.
 *
 * Throws `LEDGER_CORRUPT` (`details.file`, `details.offset`) if its files are not as they were written, before anything
 * is changed; damage that the hashes of records tell is left to them.
 */
export async function openDatabase(directory: string, known: number): Promise<Database> {
  const fresh = !existsSync(join(directory, 'CURRENT'))
  // LevelDB would make a new, empty database here, and delete the old one's tables as left-overs.
  if (fresh && (known > 0 || hasData(directory)))
    throw new BoxError(
      'LEDGER_CORRUPT',
      `The ledger in ${directory} has lost the file CURRENT. Nothing was changed; put the file back, or a copy of the home`,
      { details: { file: join(directory, 'CURRENT') } },
    )
  const checked = checkedTablesIn(directory)
  const logs: (readonly Buffer[])[] = []
  try {
    if (fresh) mkdirSync(directory, { recursive: true, mode: 0o700 })
    else await refuseDamage(directory, { known, checked, onLog: batches => logs.push(batches) })
    // It begins to open as soon as it is made.
    const db: Database = new Level<string, string>(directory, {
      createIfMissing: fresh,
      cacheSize: cacheBytes,
    })
    db.once('open', checked.keep)
    await db.open()
    keepPrivate(db, directory)
    await writeLeftOutLogs(db, logs).catch(async error => {
      await db.close()
      throw error
    })
    return db
  } catch (error) {
    throw storageError(error, 'Opening the ledger')
  }
}

/** Where the files of a database are; undefined for one that has none. */
export function directoryOf(db: Database): string | undefined {
  return existsSync(db.location) ? db.location : undefined
}

async function refuseDamage(directory: string, options: CheckOptions): Promise<void> {
  for await (const { file, offset, message, isProvable } of checkFiles(directory, options)) {
    if (isProvable) continue
    const path = join(directory, file)
    const where = offset === undefined ? path : `${path} at byte ${offset}`
    throw new BoxError(
      'LEDGER_CORRUPT',
      `${message}: ${where}. Nothing was changed; repair writes a new home`,
      {
        details: { file: path, ...(offset === undefined ? {} : { offset }) },
      },
    )
  }
}

function hasData(directory: string): boolean {
  if (!existsSync(directory)) return false
  return readdirSync(directory).some(
    file => /\.(ldb|sst)$/.test(file) || (/\.log$/.test(file) && statSync(join(directory, file)).size > 0),
  )
}
