import { mkdirSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { BoxError } from '../machines/index.ts'
import { type Ballast, ballastAt } from './ballast.ts'
import { type Database, openDatabase } from './database.ts'
import { type HomeIdentity, identityOf } from './home.ts'
import { type Lock, takeLock } from './lock.ts'
import { storageError } from './storage-error.ts'
import { openTailFile, type TailFile } from './tail-file.ts'

/** What a ledger stands on. It is the directory of a home, unless somebody brings another. */
export interface Medium {
  /** Takes it for one owner; rejects with `ENGINE_LOCKED` while another has it. */
  lock(): Promise<Lock>
  tailFile(): TailFile
  readonly ballast: Ballast
  /** by what it is known again, so that a copy is told from it */
  identity(): HomeIdentity
  /** Opens the database; `known`: the last position that the tail file tells of, 0: none. */
  database(known: number): Promise<Database>
}

/** The directory of a home, made if it is missing. Throws `INVALID_ARGUMENT` if it cannot be one. */
export function homeDirectory(home: string, now: () => number): Medium {
  makeHome(home)
  const directory = join(home, 'ledger')
  return {
    lock: () => takeLock(join(home, 'lock'), now),
    tailFile: () => openTailFile(join(home, 'ledger.tail')),
    identity: () => identityOf(home),
    ballast: ballastAt(join(directory, 'ballast')),
    database: known => openDatabase(directory, known),
  }
}

function makeHome(home: string): void {
  const invalid = (why: string, cause?: unknown) =>
    new BoxError('INVALID_ARGUMENT', `The home ${String(home)} ${why}`, { details: { field: 'home' }, cause })
  if (typeof home !== 'string' || home.includes('\0')) throw invalid('is not a path')
  if (!isAbsolute(home)) throw invalid('is not an absolute path')
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST' || code === 'ENOTDIR') throw invalid('is not a directory', error)
    throw storageError(error, `Making the home ${home}`)
  }
  if (!statSync(home).isDirectory()) throw invalid('is not a directory')
}
