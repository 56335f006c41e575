import { join } from 'node:path'
import { type Ballast, ballastAt } from './ballast.ts'
import { type Database, openDatabase } from './database.ts'
import { type HomeIdentity, identityOf } from './home.ts'
import { makeHome } from './home-directory.ts'
import { type Lock, takeLock } from './lock.ts'
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
