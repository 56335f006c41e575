import { setTimeout as delay } from 'node:timers/promises'
import type { Boundary, BoxError, Schema } from '../machines/index.ts'
import type { Archive } from './archive/archive.ts'
import type { Ballast } from './ballast.ts'
import type { Beside } from './beside.ts'
import type { Database } from './database.ts'
import { loadRemovedHead } from './heads.ts'
import { type Ownership, writeOwnership } from './journal.ts'
import type { Committed, Pause } from './ledger.ts'
import { type Loaded, load } from './load.ts'
import { readPage } from './read.ts'
import { storageError } from './storage-error.ts'
import type { Tail } from './tail-file.ts'

export interface ReopenOptions {
  readonly ballast: Ballast
  readonly archive: Archive
  readonly schema: Schema
  /** gives up */
  readonly signal: AbortSignal
  readonly pause: Pause | undefined
  readonly boundary: Boundary
  /** called after each attempt in vain */
  readonly onFailure: (failure: BoxError) => void
}

export interface Reopened {
  readonly loaded: Loaded
  /** the disk has no room for the ballast */
  readonly isFull: boolean
}

const firstRetryMs = 100
const lastRetryMs = 5_000

/**
 * Opens the database anew after a rejected write: nothing it says can be relied on before, since LevelDB has accepted,
 * and lost, later writes. Tries until it opens, its end is proven and a synced write works; a full disk may take
 * hours. Undefined if given up, or if the ledger is corrupt, which waiting does not mend.
 */
export async function reopen(
  db: Database,
  known: Tail,
  ownership: Ownership,
  { ballast, archive, schema, signal, pause, boundary, onFailure }: ReopenOptions,
): Promise<Reopened | undefined> {
  let isFull = false
  for await (const _ of attempts(signal, pause)) {
    for (let dropped = true; dropped; ) {
      try {
        boundary('before reopening the database')
        await db.close()
        await db.open()
        const loaded = await load(db, known, { archive, schema }, boundary)
        await writeOwnership(db, ownership)
        boundary('after reopening the database')
        return { loaded, isFull: isFull || !(await ballast.make()) }
      } catch (error) {
        const failure = storageError(error, 'The ledger cannot be opened again after a write that failed')
        dropped = failure.code === 'NO_SPACE' && ballast.drop()
        isFull ||= dropped
        if (!dropped) onFailure(failure)
        if (failure.code === 'LEDGER_CORRUPT') return undefined
      }
    }
  }
  return undefined
}

/** Waits until the ballast can be made again, which proves that there is room to go on. False if given up. */
export async function waitForRoom(
  ballast: Ballast,
  signal: AbortSignal,
  pause: Pause | undefined,
): Promise<boolean> {
  for await (const _ of attempts(signal, pause)) if (await ballast.make()) return true
  return false
}

/** One attempt now, and more at growing distances until aborted. */
async function* attempts(signal: AbortSignal, pause: Pause = realTime): AsyncGenerator<void> {
  yield
  for (let wait = firstRetryMs; !signal.aborted; wait = Math.min(wait * 2, lastRetryMs)) {
    await pause(wait, signal)
    if (!signal.aborted) yield
  }
}

const realTime: Pause = async (ms, signal) => {
  // An abort ends the wait, and the loop with it.
  await delay(ms, undefined, { signal, ref: false }).catch(() => {})
}

/** Records that turned out to be there, though their write was rejected. */
export async function ghostsAfter(
  known: Tail,
  loaded: Loaded,
  db: Database,
  { archive, schema }: Pick<Beside, 'archive' | 'schema'>,
): Promise<Committed[]> {
  const { tail, heads, losses } = loaded
  const ghosts: Committed[] = []
  for (let next = known.position + 1; next <= tail.position; ) {
    const page = await readPage(db, next, tail.position, tail, { losses, archive, schema })
    const { records, damage } = page
    for (const record of records) {
      // A box has one transition at most in a group: its head is that of this record.
      const head = heads.get(record.box) ?? (await loadRemovedHead(db, record.box))
      if (head && head !== 'damaged') ghosts.push({ record, head })
    }
    if (damage) break
    next = page.next
  }
  return ghosts
}
