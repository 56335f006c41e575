import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { schema } from '../../machines/index.ts'
import { archiveOf } from '../archive/archive.ts'
import { noHash } from '../codec.ts'
import type { Database } from '../database.ts'
import { checkFormatOf } from '../journal.ts'
import { formatKey, schemaKey } from '../keys.ts'
import { keepStill, takeLock } from '../lock.ts'
import { Losses } from '../losses.ts'
import { checkSchemaOf, schemaIn } from '../schema.ts'
import { storageError } from '../storage-error.ts'
import { openTailFile, readTailFile } from '../tail-file.ts'
import { verifyLedger } from '../verify/verify.ts'
import { type Built, build } from './build.ts'
import { Findings } from './findings.ts'
import { gather } from './gather.ts'
import { writeRepair } from './journal.ts'
import { NewLedger } from './new-ledger.ts'
import { preparePlaces } from './places.ts'
import { type RepairReport, rangesOf } from './report.ts'

export interface RepairOptions {
  /** directory of the damaged home, absolute; it is not changed */
  readonly home: string
  /** directory of the new home, absolute; must not exist, or be empty */
  readonly target: string
  /** name and version of the engine */
  readonly engine: string
  /** `ms since 1970`, whole */
  readonly now: () => number
}

/**
 * Writes every good record of a damaged home to a new one. Throws `INVALID_ARGUMENT` (`details.field`) if there is no
 * such home or the target is not empty, `ENGINE_LOCKED` while somebody owns the home, `FORMAT_UNSUPPORTED` if a newer
 * version has written it, `NO_SPACE`. A target that could not be completed is emptied again.
 */
export async function repairLedger(options: RepairOptions): Promise<RepairReport> {
  const { home, target, now } = options
  // Undone in the opposite order, whatever happens.
  const undo: (() => void)[] = []
  let isDone = false
  try {
    const { isNew } = preparePlaces(home, target)
    undo.push(() => {
      if (isDone) return
      for (const name of isNew ? [''] : readdirSync(target))
        rmSync(join(target, name), { recursive: true, force: true })
    })
    const still = await keepStill(join(home, 'lock'))
    undo.push(() => still.release())
    const lock = await takeLock(join(target, 'lock'), now)
    undo.push(() => lock.release())
    const report = await repairInto(options)
    isDone = true
    return report
  } catch (error) {
    throw storageError(error, `Repairing ${home}`)
  } finally {
    for (const step of undo.reverse()) step()
  }
}

async function repairInto({ home, target, engine, now }: RepairOptions): Promise<RepairReport> {
  const work = join(target, 'repair')
  const known = readTailFile(join(home, 'ledger.tail'))
  const tailPath = join(target, 'ledger.tail')
  const tailFile = openTailFile(`${tailPath}.draft`)
  try {
    // Until all is there, the target is a home that has lost its ledger, and is refused as such.
    tailFile.sync({ position: Math.max(1, known?.position ?? 0), hash: noHash })
    renameSync(`${tailPath}.draft`, tailPath)
    await using scratch = await newDatabase(join(work, 'scratch'))
    const files = await gather(home, archiveOf(home), scratch)
    await checkFormat(scratch)
    const db = await newDatabase(join(work, 'ledger'))
    let built: Built
    let report: RepairReport
    try {
      built = await build(scratch, db, known)
      const lost = rangesOf(built.losses.filter(({ what }) => what !== 'frame'))
      await writeRepair(new NewLedger(db), {
        at: new Date(now()).toISOString(),
        engine,
        from: home,
        records: built.records,
        boxes: built.boxes,
        parked: built.parked.size,
        lost: lost.reduce((sum, { from, to }) => sum + to - from + 1, 0),
      })
      tailFile.sync(built.tail)
      const verified = await verifyLedger(db, {
        ...built,
        tailFile,
        beside: { losses: new Losses(built.losses), archive: archiveOf(target), schema },
      })
      report = {
        records: built.records,
        boxes: built.boxes,
        parked: [...built.parked].map(([box, { position, reason }]) => ({
          box,
          ...(position === undefined ? {} : { position }),
          reason,
        })),
        lost,
        unknown: built.unknown,
        rebuilt: built.rebuilt,
        unproven: rangesOf(built.losses.filter(({ what }) => what === 'frame')),
        position: built.tail.position,
        files,
        problems: verified.problems.filter(({ kind }) => kind !== 'parked'),
      }
    } finally {
      await db.close()
    }
    await scratch.close()
    rmSync(join(work, 'scratch'), { recursive: true })
    syncAll(join(work, 'ledger'))
    renameSync(join(work, 'ledger'), join(target, 'ledger'))
    syncAll(target)
    rmSync(work, { recursive: true })
    return report
  } finally {
    tailFile.close()
  }
}

async function newDatabase(directory: string): Promise<Database> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const db: Database = new Level<string, string>(directory)
  await db.open()
  return db
}

async function checkFormat(scratch: Database): Promise<void> {
  for await (const { key, values } of new Findings(scratch).states(formatKey)) {
    const text = values.find(value => value !== undefined && /^\d+$/.test(value))
    if (key === formatKey && text !== undefined) checkFormatOf(text)
  }
  for await (const { key, values } of new Findings(scratch).states(schemaKey)) {
    const entry = values.map(schemaIn).find(value => value !== undefined)
    if (key === schemaKey && entry !== undefined) checkSchemaOf(entry, schema.level)
  }
}

/** Makes files survive a crash of the host, and their names. */
function syncAll(directory: string): void {
  for (const name of [...readdirSync(directory), '.']) {
    const fd = openSync(join(directory, name), 'r')
    // LevelDB lets everybody read what it makes.
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600)
    fsyncSync(fd)
    closeSync(fd)
  }
}
