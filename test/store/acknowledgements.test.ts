import { rm } from 'node:fs/promises'
import { type Ledger, repairLedger } from 'boxledger/store'
import type { ClassicLevel } from 'classic-level'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { create, damage, keyOf, open, rejection, withDatabase, withHome, withLedger } from './boxes.ts'

const test = suite('acknowledged positions')

const entry = (acknowledged: number) => ({ acknowledged, from: 1, filter: {} })
const put = (ledger: Ledger, name: string, acknowledged: number) =>
  ledger.acknowledgements.change(name, () => entry(acknowledged))
const kept = async (ledger: Ledger) => Object.fromEntries(await ledger.acknowledgements.all())

test('what arrives while one is written goes into the next write, as a whole', async () => {
  let writes = 0
  let free = () => {}
  const held = new Promise<void>(resolve => {
    free = resolve
  })
  const aroundFlush = async (write: () => Promise<void>) => {
    writes += 1
    await held
    await write()
  }
  await withHome(async home => {
    const ledger = await open(home, { aroundFlush })
    const all = Promise.all(Array.from({ length: 500 }, (_, n) => put(ledger, `reader-${n % 50}`, n)))
    free()
    await all
    assert.is(writes, 2)
    assert.is(Object.keys(await kept(ledger)).length, 50)
    await ledger.close()
    const again = await open(home)
    assert.equal((await kept(again))['reader-49'], entry(499))
    await again.acknowledgements.change('reader-49', () => undefined)
    await again.close()
    const last = await open(home)
    assert.is((await kept(last))['reader-49'], undefined)
    // There is no record that anybody could have acknowledged.
    const { problems } = await last.verify()
    assert.equal(new Set(problems.map(({ kind }) => kind)), new Set(['subscription']))
    assert.is(problems.length, 49)
    await last.close()
  })
})

test('a write that is rejected: what is known afterwards is what is there', async () => {
  for (const fail of ['before', 'after'] as const) {
    let failing = false
    const aroundFlush = async (write: () => Promise<void>) => {
      const now = failing
      failing = false
      if (now && fail === 'before') throw new Error('made by the test')
      await write()
      if (now) throw new Error('made by the test')
    }
    await withLedger(
      async ledger => {
        await create(ledger, 'aaaa')
        await put(ledger, 'reader', 1)
        failing = true
        const lost = put(ledger, 'reader', 2)
        const next = put(ledger, 'reader', 3)
        const record = create(ledger, 'bbbb')
        assert.is((await rejection(lost)).code, 'ENGINE_FAILED')
        // It was to go behind one whose fate is not known.
        assert.is((await rejection(next)).code, 'ENGINE_FAILED')
        assert.equal(await kept(ledger), { reader: entry(fail === 'before' ? 1 : 2) })
        await put(ledger, 'reader', 4)
        assert.is((await record).record.position, 2)
        assert.equal(await kept(ledger), { reader: entry(4) })
      },
      { aroundFlush },
    )
  }
})

test('a ledger that closes finishes the write that is under way, and refuses the next', async () => {
  let free = () => {}
  let isHeld = false
  const held = new Promise<void>(resolve => {
    free = resolve
  })
  const aroundFlush = async (write: () => Promise<void>) => {
    isHeld = true
    await held
    await write()
  }
  await withHome(async home => {
    const ledger = await open(home, { aroundFlush })
    const first = put(ledger, 'first', 1)
    await eventually(() => isHeld)
    const second = put(ledger, 'second', 1)
    await eventually(async () => (await kept(ledger)).second)
    const closed = ledger.close()
    free()
    await first
    assert.is((await rejection(second)).code, 'ENGINE_CLOSED')
    await closed
    const again = await open(home)
    assert.equal(await kept(again), { first: entry(1) })
    await again.close()
  })
})

test('a repair takes the last one that can be read, and none beyond the end of the ledger', async () => {
  await withHome(async home => {
    const ledger = await open(home)
    for (const id of ['aaaa', 'bbbb', 'cccc']) await create(ledger, id)
    await put(ledger, 'far', 3)
    await put(ledger, 'near', 1)
    await ledger.acknowledgements.change('gone', () => entry(2))
    await ledger.acknowledgements.change('gone', () => undefined)
    await ledger.close()
    await withDatabase(home, async db => {
      const [frame = ''] = await db.keys({ gte: 'f/', lt: 'f0', reverse: true, limit: 1 }).all()
      for (const key of [frame, await keyOf(db, 'b/cccc'), 'h/cccc']) await db.del(key)
      // What was deleted is in no older file any more.
      await (db as unknown as ClassicLevel).compactRange('', '~')
    })
    await rm(`${home}/ledger.tail`)
    await withDatabase(home, db => damage(db, 'm/ack/near', '"from"', '"form"'))
    const target = `${home}-new`
    await repairLedger({ home, target, engine: 'test/0', now: Date.now })
    const repaired = await open(target)
    const { far, near, gone } = await kept(repaired)
    assert.is(repaired.tail.position, 2)
    assert.equal([far, near, gone], [entry(2), entry(1), undefined])
    assert.ok((await repaired.verify()).ok)
    await repaired.close()
  })
})

test.run()
