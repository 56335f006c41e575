import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { BoxError } from '../machines/index.ts'
import { keepPrivate } from './private-files.ts'
import { storageError } from './storage-error.ts'

export type Database = Level<string, string>
export type Batch = ReturnType<typeof newBatch>

/** A batch that is filled bit by bit: about eight times cheaper than an array of operations. */
export function newBatch(db: Database) {
  return db.batch()
}

/** Opens the database in a directory; `known`: the tail file says that there are records. */
export async function openDatabase(directory: string, known: boolean): Promise<Database> {
  const fresh = !existsSync(join(directory, 'CURRENT'))
  // LevelDB would make a new, empty database here, and delete the old one's tables as left-overs.
  if (fresh && (known || hasData(directory)))
    throw new BoxError(
      'LEDGER_CORRUPT',
      `The ledger in ${directory} has lost the file CURRENT. Nothing was changed; put the file back, or a copy of the home`,
      { details: { file: join(directory, 'CURRENT') } },
    )
  const db: Database = new Level<string, string>(directory, { createIfMissing: fresh })
  try {
    if (fresh) mkdirSync(directory, { recursive: true, mode: 0o700 })
    await db.open()
    keepPrivate(db, directory)
  } catch (error) {
    throw storageError(error, 'Opening the ledger')
  }
  return db
}

function hasData(directory: string): boolean {
  if (!existsSync(directory)) return false
  return readdirSync(directory).some(
    file => /\.(ldb|sst)$/.test(file) || (/\.log$/.test(file) && statSync(join(directory, file)).size > 0),
  )
}
