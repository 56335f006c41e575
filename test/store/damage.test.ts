import type { Ledger } from 'boxledger/store'
import type { Level } from 'level'
import * as assert from 'uvu/assert'
import { makeRandom, takeSeed } from '../support/seed.ts'
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
} from './boxes.ts'

const test = suite('damage')

/** Positions 1 to 3 create three boxes, 4 to 6 begin to start them; 7 renames `bbbb`; `cccc` has a command ID. */
async function fill(ledger: Ledger): Promise<void> {
  for (const id of ['aaaa', 'bbbb', 'cccc']) await create(ledger, id, `name-${id}`)
  for (const id of ['aaaa', 'bbbb', 'cccc'])
    await submit(ledger, id, { type: 'start.requested' }, { commandId: `start-${id}` })
  await submit(ledger, 'bbbb', { type: 'box.renamed', name: 'renamed' })
}

/** Fills a home, harms its closed database, and opens it again. */
function harmed(
  harm: (db: Level<string, string>) => Promise<void>,
  body: (ledger: Ledger) => Promise<void>,
): Promise<void> {
  return withHome(async home => {
    const first = await open(home)
    await fill(first)
    await first.close()
    await withDatabase(home, harm)
    const ledger = await open(home)
    try {
      await body(ledger)
    } finally {
      await ledger.close()
    }
  })
}

async function othersGoOn(ledger: Ledger, parked: string): Promise<void> {
  assert.equal([...ledger.parked.keys()], [parked])
  const refusal = await rejection(create(ledger, parked))
  assert.is(refusal.code, 'LEDGER_CORRUPT')
  assert.is(refusal.details.box, parked)
  for (const box of ['aaaa', 'bbbb', 'cccc'].filter(id => id !== parked)) {
    await submit(ledger, box, { type: 'stop.requested', mode: 'kill' })
    const history = await all(ledger.history(box))
    assert.is(history.length, ledger.head(box)?.version)
  }
  const name = parked === 'bbbb' ? 'renamed' : `name-${parked}`
  assert.is((await rejection(create(ledger, 'dddd', name))).code, 'NAME_TAKEN')
  const report = await ledger.verify({ replay: true })
  assert.not(report.ok)
  assert.equal(report.parked, [parked])
  assert.ok(report.problems.some(({ box }) => box === parked))
}

test('a damaged head is made anew from a good history', () =>
  harmed(
    db => damage(db, 'h/bbbb', '"version":3', '"version":9'),
    async ledger => {
      assert.is(ledger.parked.size, 0)
      assert.is(ledger.head('bbbb')?.version, 3)
      assert.is(ledger.head('bbbb')?.state.context.name, 'renamed')
      assert.is(ledger.claimant('renamed'), 'bbbb')
      const report = await ledger.verify({ replay: true })
      assert.equal(report.problems, [])
    },
  ))

test('a damaged head without a good history parks its box, and its name stays taken', () =>
  harmed(
    async db => {
      await damage(db, 'h/aaaa', 'aaaa', 'aaab')
      await damage(db, 'b/aaaa/', 'box.created', 'box.creates')
    },
    ledger => othersGoOn(ledger, 'aaaa'),
  ))

test('a damaged body parks its box', () =>
  harmed(
    db => damage(db, 'b/aaaa/', '"memoryMib":128', '"memoryMib":129'),
    async ledger => {
      assert.is(ledger.parked.get('aaaa')?.position, 1)
      assert.equal((await rejection(all(ledger.history('aaaa')))).details, { position: 1, box: 'aaaa' })
      assert.is((await rejection(all(ledger.read()))).details.position, 1)
      const seen = await all(ledger.read({ from: 2 }))
      assert.equal(
        seen.map(({ position }) => position),
        [2, 3, 4, 5, 6, 7],
      )
      await othersGoOn(ledger, 'aaaa')
    },
  ))

test('a body that is gone parks its box', () =>
  harmed(
    async db => db.del(await keyOf(db, 'b/aaaa/')),
    async ledger => {
      assert.is((await rejection(all(ledger.history('aaaa')))).code, 'LEDGER_CORRUPT')
      await othersGoOn(ledger, 'aaaa')
    },
  ))

for (const [what, find, put] of [
  ['link', '"prev":"', '"prev":"x'],
  ['body hash', '"bodyHash":"', '"bodyHash":"x'],
  ['version', '"version":1', '"version":2'],
  ['bytes', ',"box"', ', "box"'],
  ['sense', '{', '['],
] as const)
  test(`a damaged frame parks its box: ${what}`, () =>
    harmed(
      db => damage(db, `f/${'3'.padStart(14, '0')}`, find, put),
      async ledger => {
        assert.is(ledger.parked.get('cccc')?.position, 3)
        const records: number[] = []
        const error = await rejection(
          (async () => {
            for await (const { position } of ledger.read()) records.push(position)
          })(),
        )
        assert.is(error.code, 'LEDGER_CORRUPT')
        assert.is(error.details.position, 3)
        assert.equal(records, [1, 2])
        assert.is((await rejection(all(ledger.history('cccc')))).code, 'LEDGER_CORRUPT')
        await othersGoOn(ledger, 'cccc')
        const report = await ledger.verify()
        assert.ok(report.problems.some(({ position }) => position === 3))
      },
    ))

test('a damaged last frame parks its box, and the chain goes on from what the tail file has of it', () =>
  harmed(
    db => damage(db, `f/${'7'.padStart(14, '0')}`, '"version":3', '"version":4'),
    async ledger => {
      assert.equal([...ledger.parked.keys()], ['bbbb'])
      const { record } = await create(ledger, 'dddd')
      assert.is(record.position, 8)
      assert.equal(
        (await all(ledger.read({ from: 8 }))).map(({ position }) => position),
        [8],
      )
      assert.is((await rejection(all(ledger.read({ from: 6 })))).details.position, 7)
    },
  ))

test('a record that is gone altogether is named', () =>
  withHome(async home => {
    const first = await open(home)
    await fill(first)
    await first.close()
    await withDatabase(home, async db => {
      await db.del(`f/${'2'.padStart(14, '0')}`)
      await db.del(await keyOf(db, 'b/bbbb/'))
    })
    const error = await rejection(open(home))
    assert.is(error.code, 'LEDGER_CORRUPT')
    assert.is(error.details.position, 2)
  }))

test('a body that is put in the place of another is found', () =>
  harmed(
    async db => {
      const [one = '', two = ''] = await db.keys({ gte: 'b/bbbb/', limit: 2 }).all()
      await db.put(two, (await db.get(one)) as string)
    },
    async ledger => {
      assert.is(ledger.parked.get('bbbb')?.position, 5)
      await othersGoOn(ledger, 'bbbb')
    },
  ))

for (const [what, harm, kind] of [
  ['a name that leads nowhere', (db: Level<string, string>) => db.put('n/nobody', '00000000{}'), 'name'],
  ['a name that is gone', (db: Level<string, string>) => db.del('n/name-aaaa'), 'name'],
  ['a command that is gone', (db: Level<string, string>) => db.del('c/start-aaaa'), 'command'],
  [
    'a command that leads to another record',
    async (db: Level<string, string>) => db.put('c/start-aaaa', (await db.get('c/start-bbbb')) as string),
    'command',
  ],
  [
    'an ownership that is gone',
    (db: Level<string, string>) => db.del(`m/owner/${'1'.padStart(14, '0')}`),
    'journal',
  ],
  ['a head that is gone', (db: Level<string, string>) => db.del('h/aaaa'), 'head'],
  [
    'a head that is older than its box',
    async (db: Level<string, string>) => db.put('h/dddd', (await db.get('h/aaaa')) as string),
    'head',
  ],
] as const)
  test(`verify finds ${what}`, () =>
    harmed(
      async db => {
        await harm(db)
      },
      async ledger => {
        const report = await ledger.verify({ replay: true })
        assert.not(report.ok)
        assert.ok(
          report.problems.some(problem => problem.kind === kind),
          JSON.stringify(report.problems),
        )
      },
    ))

test('a damaged entry of a command is no answer', () =>
  harmed(
    db => damage(db, 'c/start-aaaa', '"position":4', '"position":5'),
    async ledger => {
      assert.is((await rejection(ledger.command('start-aaaa'))).code, 'LEDGER_CORRUPT')
      assert.equal(await ledger.command('start-bbbb'), { box: 'bbbb', position: 5 })
    },
  ))

test('verify of one box tells of that box only', () =>
  harmed(
    db => damage(db, 'b/aaaa/', '"memoryMib":128', '"memoryMib":129'),
    async ledger => {
      assert.not((await ledger.verify({ box: 'aaaa' })).ok)
      const good = await ledger.verify({ box: 'bbbb', replay: true })
      assert.equal(good, { ok: true, records: 3, boxes: 1, parked: [], problems: [] })
    },
  ))

test('any one character changed anywhere is never a wrong value', async () => {
  const random = makeRandom(takeSeed())
  await withHome(async home => {
    const first = await open(home)
    await fill(first)
    await create(first, 'gone')
    await remove(first, 'gone')
    const truth = await all(first.read())
    const heads = new Map([...first.heads()].map(head => [head.box, head]))
    const removed = await first.removedHead('gone')
    await first.close()
    for (let round = 0; round < 60; round += 1) {
      let key = ''
      let value = ''
      await withDatabase(home, async db => {
        const entries = (await db.iterator().all()).filter(([each]) => !each.startsWith('m/'))
        ;[key, value] = random.pick(entries)
        const at = random.below(value.length)
        const other = String.fromCharCode(value.charCodeAt(at) ^ (1 << random.below(6)))
        await db.put(key, value.slice(0, at) + other + value.slice(at + 1))
      })
      const what = `round ${round}, ${key}`
      const ledger = await open(home)
      for (const box of [...heads.keys(), 'gone']) {
        const history = truth.filter(record => record.box === box)
        let n = 0
        try {
          for await (const record of ledger.history(box)) assert.equal(record, history[n++], what)
          assert.is(n, history.length, what)
        } catch (error) {
          assert.is((error as { code?: string }).code, 'LEDGER_CORRUPT', `${what}: ${error}`)
        }
        const head = ledger.head(box)
        if (head !== undefined) assert.equal(head, heads.get(box), what)
        else if (box !== 'gone') assert.ok(ledger.parked.has(box), what)
      }
      const gone = await ledger.removedHead('gone').catch((error: { code: string }) => error.code)
      if (gone !== 'LEDGER_CORRUPT') assert.equal(gone, removed, what)
      const report = await ledger.verify()
      const mended = key.startsWith('h/') && report.parked.length === 0
      assert.is(report.ok, mended, `${what}: ${JSON.stringify(report.problems)}`)
      await ledger.close()
      await withDatabase(home, db => db.put(key, value))
    }
  })
})

test.run()
