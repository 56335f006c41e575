import { mkdirSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { BoxError } from '../machines/index.ts'
import { archiveOf } from './archive/archive.ts'
import { ballastAt } from './ballast.ts'
import { openDatabase } from './database.ts'
import { checkFormat, lastOwnership, type Ownership, writeOwnership } from './journal.ts'
import type { Ledger, OpenLedgerOptions, PreviousOwner } from './ledger.ts'
import { type Ground, LevelLedger } from './level-ledger.ts'
import { load } from './load.ts'
import { takeLock } from './lock.ts'
import { storageError } from './storage-error.ts'
import { openTailFile, type TailFile } from './tail-file.ts'

/**
 * Opens the ledger of a home and becomes its owner.
 *
 * Throws `ENGINE_LOCKED` (`details.pid`) while another has it, `LEDGER_CORRUPT` if its end is lost,
 * `FORMAT_UNSUPPORTED` if a newer version has written it, `INVALID_ARGUMENT` if the home cannot be one.
 *
 * ```ts
 * const ledger = await openLedger({ home: '/var/lib/boxes', bootId, engine: 'boxledger/0.1.0', now: Date.now })
 * for await (const record of ledger.read()) console.log(record.position, record.event.type)
 * await ledger.close()
 * ```
 */
export async function openLedger(options: OpenLedgerOptions): Promise<Ledger> {
  const { home, now } = options
  makeHome(home)
  // Undone in the opposite order, should the opening fail: the lock goes last.
  const undo: (() => unknown)[] = []
  try {
    const lock = await takeLock(join(home, 'lock'), now)
    undo.push(() => lock.release())
    const tailFile = openTailFile(join(home, 'ledger.tail'))
    undo.push(() => tailFile.close())
    const ballast = ballastAt(join(home, 'ledger', 'ballast'))
    let isFull = false
    const { db, ownership, previous, loaded } = await begin(options, tailFile).catch(error => {
      isFull = BoxError.is(error, 'NO_SPACE') && ballast.drop()
      if (!isFull) throw error
      return begin(options, tailFile)
    })
    const archive = archiveOf(home)
    return new LevelLedger(
      { db, lock, tailFile, ballast, archive, ownership, previous, loaded, isFull },
      options,
    )
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw storageError(error, `Opening the home ${home}`)
  }
}

/** Opens the database, loads what it holds, and enters this ownership into the journal. */
async function begin(
  { home, bootId, engine, durability = 'sync', now }: OpenLedgerOptions,
  tailFile: TailFile,
): Promise<Pick<Ground, 'db' | 'ownership' | 'previous' | 'loaded'>> {
  const db = await openDatabase(join(home, 'ledger'), (tailFile.found?.position ?? 0) > 0)
  try {
    await checkFormat(db)
    const last = await lastOwnership(db)
    // Without syncs the host may have kept the tail file and lost records: that is what was asked for.
    const lostPower = last?.durability === 'process' && last.bootId !== bootId && last.closed === undefined
    const loaded = await load(db, lostPower ? undefined : tailFile.found, archiveOf(home))
    const ownership: Ownership = {
      // The records know an epoch too, should the journal have lost its end.
      epoch: Math.max(last?.epoch ?? 0, loaded.epoch) + 1,
      opened: new Date(now()).toISOString(),
      bootId,
      engine,
      pid: process.pid,
      durability,
    }
    await writeOwnership(db, ownership)
    tailFile.sync(loaded.tail)
    return { db, ownership, previous: previousOf(ownership, last), loaded }
  } catch (error) {
    await db.close()
    throw storageError(error, `Opening the ledger of ${home}`)
  }
}

function previousOf({ epoch }: Ownership, last: Ownership | undefined): PreviousOwner | undefined {
  if (epoch === 1) return undefined
  return last?.epoch === epoch - 1
    ? { epoch: last.epoch, bootId: last.bootId, closed: last.closed !== undefined }
    : { epoch: epoch - 1, bootId: '', closed: false }
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
