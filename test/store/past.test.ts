import { join } from 'node:path'
import type { Head } from 'boxledger/machines'
import { type Ledger, repairLedger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { checkpointEvery } from '../../src/store/checkpoints.ts'
import { suite } from '../support/suite.ts'
import {
  create,
  damage,
  open,
  rejection,
  remove,
  submit,
  withDatabase,
  withHome,
  withLedger,
} from './boxes.ts'

const test = suite('past')

const versions = 2 * checkpointEvery + 40
/** What is told has not to survive the host. */
const fast = { durability: 'process' } as const
const start = Date.parse('2026-01-01T00:00:00Z')

/** Two boxes that are renamed in turns; gives every head that `aaaa` has had, by version. */
async function fill(ledger: Ledger): Promise<Map<number, Head>> {
  const heads = new Map<number, Head>()
  const note = () => {
    const head = ledger.head('aaaa') as Head
    heads.set(head.version, head)
  }
  await create(ledger, 'aaaa', 'name-1', { at: start })
  note()
  await create(ledger, 'bbbb', 'other-1', { at: start })
  for (let version = 2; version <= versions; version += 1) {
    for (const [box, name] of [
      ['aaaa', `name-${version}`],
      ['bbbb', `other-${version}`],
    ] as const)
      await submit(ledger, box, { type: 'box.renamed', name }, { at: start + version * 1_000 })
    note()
  }
  return heads
}

/** A head as it can be known of the past. */
function past({ bodyHash: _, ...head }: Head) {
  return head
}

test('a box is known as it was after each of its records', () =>
  withLedger(async ledger => {
    const heads = await fill(ledger)
    for (const [version, head] of heads) {
      assert.equal(await ledger.past.headAt('aaaa', { version }), past(head), `version ${version}`)
      assert.is((await ledger.past.headAt('aaaa', { position: head.position }))?.version, version)
      assert.is((await ledger.past.headAt('aaaa', { position: head.position + 1 }))?.version, version)
      assert.is((await ledger.past.headAt('aaaa', { time: head.updatedAt }))?.version, version)
      assert.is((await ledger.past.headAt('aaaa', { time: head.updatedAt + 999 }))?.version, version)
      assert.is((await ledger.past.recordAt('aaaa', version))?.position, head.position)
    }
    assert.is(await ledger.past.headAt('bbbb', { position: 1 }), undefined)
    assert.is(await ledger.past.headAt('aaaa', { version: versions + 1 }), undefined)
    assert.is(await ledger.past.headAt('aaaa', { time: start - 1 }), undefined)
    assert.is(await ledger.past.headAt('none', { version: 1 }), undefined)
    assert.is(await ledger.past.recordAt('aaaa', versions + 1), undefined)
  }))

test('where the clock went back, it is one of the moments that had this time', () =>
  withLedger(async ledger => {
    await create(ledger, 'aaaa', null, { at: start })
    for (const seconds of [10, 20, 5, 6, 30])
      await submit(
        ledger,
        'aaaa',
        { type: 'box.renamed', name: `at-${seconds}` },
        { at: start + seconds * 1_000 },
      )
    for (let seconds = 0; seconds < 40; seconds += 1) {
      const time = start + seconds * 1_000
      const head = await ledger.past.headAt('aaaa', { time })
      const next = await ledger.past.recordAt('aaaa', (head?.version ?? 0) + 1)
      assert.ok(head !== undefined && head.updatedAt <= time, `${seconds} s`)
      assert.ok(next === undefined || Date.parse(next.at) > time, `${seconds} s`)
    }
  }))

test('a checkpoint that is gone or not the right one costs time and nothing else, and verify tells', () =>
  withHome(async home => {
    const first = await open(home, fast)
    const heads = await fill(first)
    await first.close()
    const at = (n: number) => `k/aaaa/${(n * checkpointEvery).toString(16).padStart(14, '0')}`
    await withDatabase(home, async db => {
      await damage(db, at(1), 'name-', 'eman-')
      await db.put(at(2), (await db.get(`k/bbbb${at(2).slice(6)}`)) as string)
    })
    const ledger = await open(home, fast)
    for (const version of [checkpointEvery, checkpointEvery + 1, versions])
      assert.equal(await ledger.past.headAt('aaaa', { version }), past(heads.get(version) as Head))
    const { problems } = await ledger.verify()
    assert.equal(
      problems.map(({ kind, box, message }) => `${kind} ${box}: ${message}`),
      [
        `checkpoint aaaa: The checkpoint at version ${checkpointEvery} is damaged`,
        `checkpoint aaaa: The checkpoint at version ${2 * checkpointEvery} is that of another record`,
      ],
    )
    assert.is((await ledger.verify({ box: 'aaaa' })).problems.length, 2)
    await ledger.close()
    await withDatabase(home, db => db.batch([1, 2].map(n => ({ type: 'del', key: at(n) }))))
    const again = await open(home, fast)
    assert.equal(
      await again.past.headAt('aaaa', { version: versions - 1 }),
      past(heads.get(versions - 1) as Head),
    )
    assert.ok((await again.verify({ replay: true })).ok)
    await again.close()
  }))

test('a checkpoint that was written of another state is found by replay', () =>
  withHome(async home => {
    const first = await open(home, fast)
    await fill(first)
    await first.close()
    await withDatabase(home, async db => {
      const key = `k/aaaa/${checkpointEvery.toString(16).padStart(14, '0')}`
      const text = ((await db.get(key)) as string).slice(8).replace(`name-${checkpointEvery}`, 'invented')
      const { crc32 } = await import('node:zlib')
      await db.put(key, crc32(text).toString(16).padStart(8, '0') + text)
    })
    const ledger = await open(home, fast)
    assert.ok((await ledger.verify()).ok)
    const { problems } = await ledger.verify({ replay: true })
    assert.is(
      problems[0]?.message,
      `The checkpoint at version ${checkpointEvery} is not the state that is replayed`,
    )
    await ledger.close()
  }))

test('archived, parked and repaired boxes have a past too', () =>
  withHome(async home => {
    const first = await open(home, fast)
    const heads = await fill(first)
    const broken = checkpointEvery + 36
    await remove(first, 'bbbb')
    const bbbb = await first.past.headAt('bbbb', { version: broken })
    assert.is((await first.archive(Date.now() + 60_000)).boxes, 1)
    assert.equal(await first.past.headAt('bbbb', { version: broken }), bbbb)
    await first.close()
    await withDatabase(home, db =>
      damage(db, `b/aaaa/${broken.toString(16).padStart(14, '0')}`, 'name-', 'eman-'),
    )
    const ledger = await open(home, fast)
    const before = broken - 1
    assert.equal(await ledger.past.headAt('aaaa', { version: before }), past(heads.get(before) as Head))
    for (const version of [broken, broken + 1]) {
      const error = await rejection(ledger.past.headAt('aaaa', { version }))
      assert.is(error.code, 'LEDGER_CORRUPT')
      assert.is(error.details.position, heads.get(broken)?.position)
    }
    await ledger.close()

    const target = join(home, '..', 'repaired')
    await repairLedger({ home, target, engine: 'test/0', now: Date.now })
    await withDatabase(target, async db => {
      const keys = await db.keys({ gte: 'k/', lt: 'k0' }).all()
      assert.equal(
        keys.map(key => key.slice(0, 6)),
        ['k/aaaa', 'k/aaaa', 'k/bbbb', 'k/bbbb'],
      )
    })
    const repaired = await open(target, fast)
    assert.equal(await repaired.past.headAt('bbbb', { version: broken }), bbbb)
    // The bytes as they were before were still in a file of the database.
    assert.equal(await repaired.past.headAt('aaaa', { version: broken }), past(heads.get(broken) as Head))
    await repaired.close()
  }))

test.run()
