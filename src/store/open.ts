import { mkdirSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { BoxError } from '../machines/index.ts'
import { openDatabase } from './database.ts'
import { checkFormat, lastOwnership, type Ownership, writeOwnership } from './journal.ts'
import type { Ledger, OpenLedgerOptions } from './ledger.ts'
import { LevelLedger } from './level-ledger.ts'
import { load } from './load.ts'
import { takeLock } from './lock.ts'
import { storageError } from './storage-error.ts'
import { openTailFile } from './tail-file.ts'

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
  const { home, bootId, engine, durability = 'sync', now } = options
  makeHome(home)
  // Undone in the opposite order, should the opening fail: the lock goes last.
  const undo: (() => unknown)[] = []
  try {
    const lock = await takeLock(join(home, 'lock'), now)
    undo.push(() => lock.release())
    const tailFile = openTailFile(join(home, 'ledger.tail'))
    undo.push(() => tailFile.close())
    const db = await openDatabase(join(home, 'ledger'), (tailFile.found?.position ?? 0) > 0)
    undo.push(() => db.close())
    await checkFormat(db)
    const last = await lastOwnership(db)
    const lostPower = last?.durability === 'process' && last.bootId !== bootId && last.closed === undefined
    const loaded = await load(db, lostPower ? undefined : tailFile.found)
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
    const previous =
      ownership.epoch === 1
        ? undefined
        : {
            epoch: ownership.epoch - 1,
            bootId: last?.epoch === ownership.epoch - 1 ? last.bootId : '',
            closed: last?.epoch === ownership.epoch - 1 && last.closed !== undefined,
          }
    return new LevelLedger({ db, lock, tailFile, ownership, previous, loaded }, options)
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw storageError(error, `Opening the home ${home}`)
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
