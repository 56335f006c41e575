import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { create, open, rejection, withDatabase, withHome } from './boxes.ts'

const test = suite('tail file')

/** A home with three records, closed. */
const withRecords = (body: (home: string) => Promise<void>): Promise<void> =>
  withHome(async home => {
    const ledger = await open(home)
    for (const id of ['aaaa', 'bbbb', 'cccc']) await create(ledger, id)
    await ledger.close()
    await body(home)
  })

test('a ledger that lost its last record is found', () =>
  withRecords(async home => {
    await withDatabase(home, async db => {
      const keys = await db.keys().all()
      for (const key of keys) if (/^[fbh]\/(0*3$|cccc)/.test(key)) await db.del(key)
    })
    const error = await rejection(open(home))
    assert.is(error.code, 'LEDGER_CORRUPT')
    assert.is(error.details.position, 3)
    // Refusing changes nothing, and the lock is free again.
    assert.is((await rejection(open(home))).code, 'LEDGER_CORRUPT')
  }))

test('a ledger that was put back by an older copy is found', () =>
  withHome(async home => {
    const first = await open(home)
    await create(first, 'aaaa')
    await first.close()
    await cp(join(home, 'ledger'), `${home}-old`, { recursive: true })
    const second = await open(home)
    await create(second, 'bbbb')
    await second.close()
    await rm(join(home, 'ledger'), { recursive: true })
    assert.is((await rejection(open(home))).code, 'LEDGER_CORRUPT')
    await cp(`${home}-old`, join(home, 'ledger'), { recursive: true })
    const error = await rejection(open(home))
    assert.is(error.code, 'LEDGER_CORRUPT')
    assert.is(error.details.position, 2)
  }))

test('a database without its file CURRENT is left as it is', () =>
  withRecords(async home => {
    const current = join(home, 'ledger', 'CURRENT')
    const content = await readFile(current)
    await rm(current)
    assert.is((await rejection(open(home))).code, 'LEDGER_CORRUPT')
    await rm(join(home, 'ledger.tail'))
    assert.is((await rejection(open(home))).code, 'LEDGER_CORRUPT')
    await writeFile(current, content)
    const ledger = await open(home)
    assert.is(ledger.tail.position, 3)
    await ledger.close()
  }))

test('a tail file that is behind, torn or gone stands in nobody’s way', () =>
  withRecords(async home => {
    const file = join(home, 'ledger.tail')
    const good = await readFile(file)
    // The newest slot is torn: the other one is behind by one.
    const torn = Buffer.from(good)
    const slots = [0, 512].map(at => torn.toString('latin1', at, at + 22))
    torn.write('zz', (slots[1] ?? '') > (slots[0] ?? '') ? 540 : 28)
    for (const content of [torn, Buffer.alloc(0), Buffer.from('nothing of the kind')]) {
      await writeFile(file, content)
      const ledger = await open(home)
      assert.is(ledger.tail.position, 3)
      const report = await ledger.verify()
      const told = report.problems.map(({ kind }) => kind)
      assert.equal(told, content.length === 19 ? ['tail-file'] : [])
      await ledger.close()
    }
    await truncate(file, 0)
    await rm(file)
    const ledger = await open(home)
    assert.ok((await ledger.verify()).ok)
    await ledger.close()
  }))

test('a newer format is refused, and one that cannot be read', () =>
  withRecords(async home => {
    for (const [text, code] of [
      ['2', 'FORMAT_UNSUPPORTED'],
      ['one', 'LEDGER_CORRUPT'],
    ] as const) {
      await withDatabase(home, db => db.put('m/format', text))
      assert.is((await rejection(open(home))).code, code)
    }
    await withDatabase(home, db => db.del('m/format'))
    assert.is((await rejection(open(home))).code, 'LEDGER_CORRUPT')
  }))

test.run()
