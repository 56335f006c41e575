import { isRefusal, type LedgerRecord, stepExecution } from 'boxledger/machines'
import type { Ledger } from 'boxledger/store'
import type { Level } from 'level'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import {
  all,
  create,
  damage,
  keyOf,
  open,
  rejection,
  remove,
  submit,
  withDatabase,
  withHome,
  withLedger,
} from './boxes.ts'
import { begin, ended, run, startOf, tell } from './execution-records.ts'
import { repair } from './repaired.ts'

const test = suite('executions in the ledger')

/** Two boxes, of which `aaaa` has had three executions, `run3` still going on, and `bbbb` one. */
async function fill(ledger: Ledger): Promise<void> {
  await create(ledger, 'aaaa', 'one')
  await create(ledger, 'bbbb')
  await Promise.all(['run1', 'run2'].map(id => run(ledger, 'aaaa', id)))
  await run(ledger, 'bbbb', 'run9')
  await submit(ledger, 'aaaa', { type: 'box.renamed', name: 'other' })
  await begin(ledger, 'aaaa', 'run3')
}

const filled = (body: (home: string) => Promise<void>) =>
  withHome(async home => {
    const ledger = await open(home)
    await fill(ledger)
    await ledger.close()
    await body(home)
  })

const withOpen = async (home: string, body: (ledger: Ledger) => Promise<void>): Promise<void> => {
  const ledger = await open(home)
  try {
    await body(ledger)
  } finally {
    await ledger.close()
  }
}

const words = (records: readonly LedgerRecord[]) =>
  records.map(({ box, execution, event }) => `${box}${execution ? `/${execution}` : ''} ${event.type}`)

test('of a box all is read, its own and its executions, by position; its history is its own', () =>
  withLedger(async ledger => {
    await fill(ledger)
    const everything = await all(ledger.read())
    const own = everything.filter(({ box }) => box === 'aaaa')
    assert.equal(await all(ledger.read({ box: 'aaaa' })), own)
    assert.is(own.length, 7)
    for (const from of [1, 4, 9, 99])
      for (const to of [1, 5, 99])
        assert.equal(
          await all(ledger.read({ box: 'aaaa', from, to })),
          own.filter(({ position }) => position >= from && position <= to),
        )
    assert.equal(words(await all(ledger.history('aaaa'))), ['aaaa box.created', 'aaaa box.renamed'])
    assert.equal(words(await all(ledger.history('aaaa.run1'))), [
      'aaaa/run1 exec.started',
      'aaaa/run1 exec.ended',
    ])
    assert.equal([...ledger.heads()].map(({ box }) => box).sort(), ['aaaa', 'bbbb'])
    assert.equal(
      [...ledger.executions()].map(({ box }) => box),
      ['aaaa.run3'],
    )
    const report = await ledger.verify({ replay: true })
    assert.equal([report.problems, report.boxes, report.records], [[], 2, 10])
    assert.is((await ledger.verify({ box: 'aaaa', replay: true })).records, 7)
  }))

test('they are counted, also when they come together, after a reopening, and of a box that is gone', () =>
  filled(home =>
    withOpen(home, async ledger => {
      assert.equal(
        ['aaaa', 'bbbb', 'cccc'].map(box => ledger.executionsOf(box)),
        [3, 1, 0],
      )
      assert.equal(
        [...ledger.executions()].map(({ box }) => box),
        ['aaaa.run3'],
      )
      await Promise.all(Array.from({ length: 20 }, (_, n) => run(ledger, 'bbbb', `more${n}`)))
      assert.is(ledger.executionsOf('bbbb'), 21)
      await remove(ledger, 'bbbb')
      assert.is(ledger.executionsOf('bbbb'), 0)
      assert.is((await ledger.removedHead('bbbb'))?.executions, 21)
      assert.equal((await ledger.verify({ replay: true })).problems, [])
    }),
  ))

test('an ID is used once; a stream needs a name that is one', () =>
  withLedger(async ledger => {
    await fill(ledger)
    assert.is((await rejection(begin(ledger, 'aaaa', 'run1'))).code, 'WRONG_EXPECTED_VERSION')
    const head = ledger.execution('aaaa.run3')
    const again = stepExecution(head?.state, startOf('aaaa', 'run3'), { at: 1, version: 2 })
    assert.ok(isRefusal(again))
    assert.is((await rejection(begin(ledger, 'aaaa', '../x'))).code, 'INVALID_ARGUMENT')
    assert.is((await rejection(begin(ledger, 'aaaa', 'a.b'))).code, 'INVALID_ARGUMENT')
    assert.is(ledger.executionsOf('aaaa'), 3)
  }))

test('a count that is damaged is made anew; one that is wrong is found', () =>
  filled(async home => {
    await withDatabase(home, db => damage(db, 'x/aaaa', '3', '4'))
    await withOpen(home, async ledger => {
      assert.is(ledger.executionsOf('aaaa'), 3)
      assert.equal((await ledger.verify()).problems, [])
    })
    // That of the other box, with its checksum.
    await withDatabase(home, async db => db.put('x/aaaa', (await db.get('x/bbbb')) as string))
    await withOpen(home, async ledger => {
      const { problems } = await ledger.verify()
      assert.equal(problems, [
        { kind: 'executions', box: 'aaaa', message: 'The number of executions is not 3, as recorded' },
      ])
    })
    await withDatabase(home, db => db.del('x/bbbb'))
    await withOpen(home, async ledger => {
      assert.ok(
        (await ledger.verify()).problems.some(({ box, kind }) => box === 'bbbb' && kind === 'executions'),
      )
    })
  }))

test('a record of an execution that is damaged parks that one, and neither its box nor another', () =>
  filled(async home => {
    await withDatabase(home, db => damage(db, 'b/aaaa.run3/', 'true', 'trou'))
    await withOpen(home, async ledger => {
      assert.equal([...ledger.parked.keys()], ['aaaa.run3'])
      assert.is((await rejection(tell(ledger, 'aaaa', 'run3', ended))).code, 'LEDGER_CORRUPT')
      await submit(ledger, 'aaaa', { type: 'box.renamed', name: 'third' })
      await run(ledger, 'aaaa', 'run4')
      assert.is((await rejection(all(ledger.read({ box: 'aaaa' })))).code, 'LEDGER_CORRUPT')
      assert.is((await all(ledger.history('aaaa'))).length, 3)
      const { problems } = await ledger.verify({ box: 'aaaa' })
      assert.equal(
        problems.map(({ box, kind }) => [box, kind]),
        [['aaaa.run3', 'body']],
      )
      assert.ok((await ledger.verify({ box: 'bbbb' })).ok)
    })
  }))

test('a head of a running one that is damaged is folded anew', () =>
  filled(async home => {
    await withDatabase(home, db => damage(db, 'h/aaaa.run3', 'running', 'runnyng'))
    await withOpen(home, async ledger => {
      assert.equal(
        [...ledger.executions()].map(({ box, version }) => [box, version]),
        [['aaaa.run3', 1]],
      )
      assert.equal((await ledger.verify({ replay: true })).problems, [])
    })
  }))

test('a body that is gone from the middle is missed', () =>
  filled(async home => {
    await withDatabase(home, async db => db.del(await keyOf(db, 'b/aaaa.run1/')))
    await withOpen(home, async ledger => {
      const { code, details } = await rejection(all(ledger.read({ box: 'aaaa' })))
      assert.equal([code, details.box, details.version], ['LEDGER_CORRUPT', 'aaaa', 1])
    })
  }))

test('a record whose key is damaged is missed, wherever the key leads to now', async () => {
  const end = async (db: Level<string, string>, prefix: string) =>
    (await db.keys({ gte: prefix, lt: `${prefix}~`, reverse: true, limit: 1 }).all())[0] as string
  const move = async (db: Level<string, string>, from: string, to: string) => {
    const value = (await db.get(from)) as string
    await db.batch([
      { type: 'del', key: from },
      { type: 'put', key: to, value },
    ])
  }
  const harms: Readonly<Record<string, (db: Level<string, string>) => Promise<void>>> = {
    'the last of one that has ended': async db => db.del(await end(db, 'b/aaaa.run1/')),
    'all of one': async db => {
      for (const key of await db.keys({ gte: 'b/aaaa.run2/', lt: 'b/aaaa.run20' }).all())
        await move(db, key, key.replace('aaaa', 'zaaa'))
    },
    'to the place of a record of another box': async db => {
      const key = await end(db, 'b/aaaa.run1/')
      await move(db, key, `${key.slice(0, -14)}${(2).toString(16).padStart(14, '0')}`)
    },
    'to the place of another record of the box': async db => {
      const key = await end(db, 'b/aaaa.run1/')
      await move(db, key, `${key.slice(0, -14)}${(1).toString(16).padStart(14, '0')}`)
    },
    'the last of the box itself': async db => db.del(await end(db, 'b/aaaa/')),
  }
  for (const [what, harm] of Object.entries(harms))
    await withHome(async home => {
      const filling = await open(home, { durability: 'process' })
      await fill(filling)
      // So many that opening does not look back that far.
      for (let n = 0; n < 260; n += 1) await submit(filling, 'bbbb', { type: 'box.renamed', name: `b${n}` })
      await filling.close()
      await withDatabase(home, harm)
      await withOpen(home, async ledger => {
        assert.is(ledger.parked.size, 0, what)
        const read: LedgerRecord[] = []
        const reading = async () => {
          for await (const record of ledger.read({ box: 'aaaa' })) read.push(record)
        }
        assert.is((await rejection(reading())).code, 'LEDGER_CORRUPT', what)
        assert.ok(
          read.every(({ box }) => box === 'aaaa'),
          what,
        )
        assert.is((await rejection(all(ledger.export({ box: 'aaaa' })))).code, 'LEDGER_CORRUPT', what)
      })
    })
})

test('of a box with many all is read, those that go on among them', () =>
  withLedger(
    async ledger => {
      await create(ledger, 'aaaa')
      for (let n = 0; n < 700; n += 1) await begin(ledger, 'aaaa', `run${n}`)
      for (let n = 0; n < 600; n += 1) await tell(ledger, 'aaaa', `run${n}`, ended)
      assert.is((await all(ledger.read({ box: 'aaaa' }))).length, 1_301)
      assert.is((await all(ledger.read({ box: 'aaaa', from: 1_000, to: 1_100 }))).length, 101)
    },
    { durability: 'process' },
  ))

test('the ended ones of a box that lives are archived, and read as before', () =>
  filled(home =>
    withOpen(home, async ledger => {
      const before = await all(ledger.read({ box: 'aaaa' }))
      const report = await ledger.archive(Date.now() + 1)
      assert.equal([report.boxes, report.records, report.left], [0, 6, []])
      assert.equal(await all(ledger.read({ box: 'aaaa' })), before)
      assert.equal((await ledger.verify({ replay: true })).problems, [])
      assert.is(ledger.executionsOf('aaaa'), 3)
    }),
  ))

test('a repair saves them, and their count', () =>
  filled(async home => {
    await withOpen(home, async ledger => {
      await remove(ledger, 'bbbb')
    })
    await withDatabase(home, db => db.del('x/aaaa'))
    const target = `${home}-new`
    const report = await repair(home, target)
    assert.equal(report.parked, [])
    assert.equal(report.problems, [])
    await withOpen(target, async ledger => {
      assert.is(ledger.executionsOf('aaaa'), 3)
      assert.is((await ledger.removedHead('bbbb'))?.executions, 1)
      assert.equal(
        [...ledger.executions()].map(({ box }) => box),
        ['aaaa.run3'],
      )
      await run(ledger, 'aaaa', 'run4')
      assert.is(ledger.executionsOf('aaaa'), 4)
    })
  }))

test.run()
