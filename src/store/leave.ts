import type { Boundary } from '../machines/index.ts'
import type { Ground } from './ground.ts'
import { writeOwnership } from './journal.ts'
import { storageError } from './storage-error.ts'

export interface LeaveOptions {
  readonly boundary: Boundary
  /** ISO time */
  readonly closed: () => string
  /** resolves when nothing is under way any more; gives whether the database answers */
  readonly settled: () => Promise<boolean>
}

/** Lets go of all that a ledger stands on, the lock last. */
export async function leave(ground: Ground, { boundary, closed, settled }: LeaveOptions): Promise<void> {
  const { db, tailFile, lock } = ground
  try {
    if (await settled()) {
      boundary('before leaving the owner')
      await writeOwnership(db, { ...ground.ownership, closed: closed() })
      boundary('after leaving the owner')
    }
  } catch (error) {
    // All records are safe; the next owner will take this ownership for one that crashed, which costs it a look.
    if (storageError(error, '').code === 'LEDGER_CORRUPT') throw error
  } finally {
    await db.close().catch(() => {})
    tailFile.close()
    boundary('before freeing the home')
    lock.release()
    boundary('after freeing the home')
  }
}
