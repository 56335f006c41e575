import { BoxError, noBoundary, schema } from '../machines/index.ts'
import { archiveOf } from './archive/archive.ts'
import type { Ground } from './ground.ts'
import { isAtHome as isHome } from './home.ts'
import { checkFormat, lastOwnership, type Ownership, writeOwnership } from './journal.ts'
import type { Ledger, OpenLedgerOptions, PreviousOwner } from './ledger.ts'
import { LevelLedger } from './level-ledger.ts'
import { load } from './load.ts'
import { homeDirectory, type Medium } from './medium.ts'
import { checkSchema, raiseSchema } from './schema.ts'
import { storageError } from './storage-error.ts'
import type { TailFile } from './tail-file.ts'

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
  const { home, now, boundary = noBoundary } = options
  const medium = options.medium ?? homeDirectory(home, now)
  // Undone in the opposite order, should the opening fail: the lock goes last.
  const undo: (() => unknown)[] = []
  try {
    boundary('before locking the home')
    const lock = await medium.lock()
    boundary('after locking the home')
    undo.push(() => lock.release())
    const tailFile = medium.tailFile()
    undo.push(() => tailFile.close())
    const { ballast } = medium
    let isFull = false
    const begun = await begin(options, medium, tailFile).catch(error => {
      isFull = BoxError.is(error, 'NO_SPACE') && ballast.drop()
      if (!isFull) throw error
      return begin(options, medium, tailFile)
    })
    undo.push(() => begun.db.close())
    boundary('before making the ballast')
    isFull ||= !(await ballast.make())
    boundary('after making the ballast')
    return new LevelLedger(
      {
        ...begun,
        medium,
        archive: archiveOf(home),
        schema: options.schema ?? schema,
        lock,
        tailFile,
        isFull,
      },
      options,
    )
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw storageError(error, `Opening the home ${home}`)
  }
}

/** Opens the database, loads what it holds, and enters this ownership into the journal. */
async function begin(
  {
    home,
    bootId,
    engine,
    durability = 'sync',
    now,
    boundary = noBoundary,
    schema: current = schema,
  }: OpenLedgerOptions,
  medium: Medium,
  tailFile: TailFile,
): Promise<Pick<Ground, 'db' | 'ownership' | 'previous' | 'loaded' | 'isAtHome'>> {
  boundary('before opening the database')
  const db = await medium.database(tailFile.found?.position ?? 0)
  boundary('after opening the database')
  try {
    await checkFormat(db)
    const raised = await checkSchema(db, current)
    if (raised) await raiseSchema(db, { archive: archiveOf(home), schema: current, engine, boundary })
    const last = await lastOwnership(db)
    // Without syncs the host may have kept the tail file and lost records: that is what was asked for.
    const lostPower = last?.durability === 'process' && last.bootId !== bootId && last.closed === undefined
    const loaded = await load(
      db,
      lostPower ? undefined : tailFile.found,
      { archive: archiveOf(home), schema: current },
      boundary,
    )
    const ownership: Ownership = {
      // The records know an epoch too, should the journal have lost its end.
      epoch: Math.max(last?.epoch ?? 0, loaded.epoch) + 1,
      opened: new Date(now()).toISOString(),
      bootId,
      engine,
      pid: process.pid,
      durability,
    }
    boundary('before entering the owner')
    await writeOwnership(db, ownership)
    boundary('after entering the owner')
    boundary('before syncing the tail file')
    tailFile.sync(loaded.tail)
    boundary('after syncing the tail file')
    const isAtHome = await isHome(db, medium.identity(), boundary)
    return { db, ownership, previous: previousOf(ownership, last), loaded, isAtHome }
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
