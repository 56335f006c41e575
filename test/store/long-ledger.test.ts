import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import * as assert from 'uvu/assert'
import { buildLongLedger } from '../../bench/long-ledger.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { open } from './boxes.ts'

const test = suite('a long ledger')

/** So many that its files are looked at in a thread of its own. */
const records = 51_000

test('verify passes a long ledger, and names a damaged file, a lost body and bodies in each other’s places', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const { boxes } = await buildLongLedger(home, records, 100)
    const ledger = await open(home)
    const report = await ledger.verify()
    assert.equal(report, { ok: true, records, boxes: boxes.length, parked: [], problems: [] })
    const table = largestTable(home)
    flip(join(home, 'ledger', table))
    const { problems } = await ledger.verify()
    const files = problems.flatMap(({ kind, file }) => (kind === 'file' ? [file] : []))
    assert.equal(files, [`ledger/${table}`])
    flip(join(home, 'ledger', table))
    assert.ok((await ledger.verify()).ok)
    await ledger.close()

    const [box, other, third] = boxes as [string, string, string]
    await withDatabase(home, async db => {
      const [lost] = await bodyOf(db, box, 7)
      const [key, text] = await bodyOf(db, box, 10)
      const [otherKey, otherText] = await bodyOf(db, other, 10)
      await db.del(lost)
      await db.put(key, otherText)
      await db.put(otherKey, text)
      const [misplaced, kept] = await bodyOf(db, third, 5)
      await db.put(`${misplaced.slice(0, -14)}${'f'.padStart(14, '0')}`, kept)
    })
    const damaged = await open(home)
    const found = (await damaged.verify()).problems.map(({ kind, box, message }) => ({ kind, box, message }))
    assert.equal(found, [
      { kind: 'body', box, message: 'The body is missing' },
      { kind: 'body', box, message: 'The body is not what its frame links to' },
      { kind: 'body', box: other, message: 'The body is not what its frame links to' },
      { kind: 'body', box: third, message: '1 bodies have no frame' },
    ])
    await damaged.close()
  }))

test.run()

function largestTable(home: string): string {
  const directory = join(home, 'ledger')
  const tables = readdirSync(directory).filter(file => file.endsWith('.ldb'))
  const sizeOf = (file: string) => statSync(join(directory, file)).size
  return tables.sort((a, b) => sizeOf(b) - sizeOf(a))[0] as string
}

/** Flips a bit in the middle of a file, while it is open elsewhere. */
function flip(file: string): void {
  const fd = openSync(file, 'r+')
  const at = Math.floor(statSync(file).size / 2)
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, at)
  byte[0] = (byte[0] as number) ^ 1
  writeSync(fd, byte, 0, 1, at)
  closeSync(fd)
}

async function withDatabase(home: string, work: (db: ClassicLevel) => Promise<void>): Promise<void> {
  const db = new ClassicLevel<string, string>(join(home, 'ledger'))
  await db.open()
  await work(db)
  await db.close()
}

async function bodyOf(db: ClassicLevel, box: string, before: number): Promise<[string, string]> {
  const bodies = await db.iterator({ gte: `b/${box}/`, lt: `b/${box}0`, limit: before + 1 }).all()
  return bodies[before] as [string, string]
}
