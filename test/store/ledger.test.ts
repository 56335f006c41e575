import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { all, create, created, next, open, rejection, remove, submit, withHome, withLedger } from './boxes.ts'

const test = suite('ledger')

test('an append is a record, a head, a name and a command, all at once', () =>
  withLedger(async ledger => {
    const { record, head } = await create(ledger, 'aaaa', 'web', { commandId: 'c1', at: 1_700_000_000_000 })
    assert.is(record.position, 1)
    assert.is(record.version, 1)
    assert.is(record.at, '2023-11-14T22:13:20.000Z')
    assert.is(record.event.type, 'box.created')
    assert.equal(record.meta, { commandId: 'c1', bootId: 'boot-a', epoch: 1, engine: 'test/0' })
    assert.is(record.prev, '0'.repeat(64))
    assert.is(record.prevBody, '0'.repeat(64))
    assert.equal(ledger.tail, { position: 1, hash: record.hash })
    assert.equal(ledger.head('aaaa'), head)
    assert.is(ledger.claimant('web'), 'aaaa')
    assert.equal(await ledger.command('c1'), { box: 'aaaa', position: 1 })
    assert.is(await ledger.command('c2'), undefined)
    assert.equal(await all(ledger.read()), [record])
  }))

test('records link to the one before, and to the one before of their box', () =>
  withLedger(async ledger => {
    const a = await create(ledger, 'aaaa')
    const b = await create(ledger, 'bbbb')
    const a2 = await submit(ledger, 'aaaa', { type: 'start.requested' })
    assert.is(b.record.prev, a.record.hash)
    assert.is(b.record.prevBody, '0'.repeat(64))
    assert.is(a2.record.prev, b.record.hash)
    assert.is(a2.record.prevBody, a.head.bodyHash)
    assert.equal(a2.record.effects, [{ id: '2.0', type: 'queueStart', incarnation: 1 }])
    assert.is(a2.head.createdPosition, 1)
    assert.ok((await ledger.verify({ replay: true })).ok)
  }))

test('the expected version counts what is on its way', () =>
  withLedger(async ledger => {
    await create(ledger, 'aaaa')
    const first = next(ledger, 'aaaa', { type: 'start.requested' })
    const done = ledger.append(first)
    assert.is((await rejection(ledger.append(first))).code, 'WRONG_EXPECTED_VERSION')
    await done
    const error = await rejection(ledger.append(first))
    assert.is(error.code, 'WRONG_EXPECTED_VERSION')
    assert.equal(error.details, { box: 'aaaa', expected: 1, actual: 2 })
    assert.is((await rejection(create(ledger, 'aaaa'))).code, 'WRONG_EXPECTED_VERSION')
    assert.is(ledger.tail.position, 2)
  }))

test('of 20 who want one name at once, one gets it', () =>
  withLedger(async ledger => {
    const ids = Array.from({ length: 20 }, (_, n) => `box${n}`)
    const outcomes = await Promise.allSettled(ids.map(id => create(ledger, id, 'only')))
    const won = outcomes.filter(outcome => outcome.status === 'fulfilled')
    assert.is(won.length, 1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.is(outcome.reason.code, 'NAME_TAKEN')
    assert.is(ledger.tail.position, 1)
    assert.is([...ledger.heads()].length, 1)
  }))

test('a name is claimed while it is on its way, and free again when its box gives it up', () =>
  withLedger(async ledger => {
    const done = create(ledger, 'aaaa', 'web')
    assert.is(ledger.claimant('web'), 'aaaa')
    assert.is(ledger.head('aaaa'), undefined)
    await done
    await submit(ledger, 'aaaa', { type: 'box.renamed', name: 'old' })
    assert.is(ledger.claimant('web'), undefined)
    await create(ledger, 'bbbb', 'web')
    assert.is(
      (await rejection(submit(ledger, 'aaaa', { type: 'box.renamed', name: 'web' }))).code,
      'NAME_TAKEN',
    )
    await submit(ledger, 'aaaa', { type: 'box.renamed', name: null })
    await create(ledger, 'cccc', 'old')
    await remove(ledger, 'bbbb')
    assert.is(ledger.claimant('web'), undefined)
    await create(ledger, 'dddd', 'web')
    assert.ok((await ledger.verify()).ok)
  }))

test('names and IDs of living boxes are one set', () =>
  withLedger(async ledger => {
    const pending = create(ledger, 'aaaa', 'web')
    assert.is((await rejection(create(ledger, 'bbbb', 'aaaa'))).code, 'NAME_TAKEN')
    assert.is((await rejection(create(ledger, 'web'))).code, 'NAME_TAKEN')
    await pending
    assert.is((await rejection(create(ledger, 'bbbb', 'aaaa'))).code, 'NAME_TAKEN')
    assert.is((await rejection(create(ledger, 'web'))).code, 'NAME_TAKEN')
    await create(ledger, 'bbbb', 'WEB')
  }))

test('positions are dense, whoever comes when', () =>
  withLedger(async ledger => {
    const told: number[] = []
    ledger.onCommit(committed => told.push(...committed.map(({ record }) => record.position)))
    await Promise.all(
      Array.from({ length: 700 }, async (_, n) => {
        await create(ledger, `box${n}`)
        await submit(ledger, `box${n}`, { type: 'start.requested' })
        await submit(ledger, `box${n}`, { type: 'stop.requested', mode: 'kill' })
      }),
    )
    const records = await all(ledger.read())
    assert.equal(
      records.map(({ position }) => position),
      Array.from({ length: 2100 }, (_, n) => n + 1),
    )
    assert.equal(
      told,
      records.map(({ position }) => position),
    )
    const report = await ledger.verify({ replay: true })
    assert.equal(report, { ok: true, records: 2100, boxes: 700, parked: [], problems: [] })
  }))

test('what was committed is there after a restart, to the last field', () =>
  withHome(async home => {
    const first = await open(home)
    const commits = [await create(first, 'aaaa', 'web'), await create(first, 'bbbb')]
    commits.push(await submit(first, 'aaaa', { type: 'start.requested' }, { commandId: 'c9' }))
    await create(first, 'cccc', 'gone')
    await remove(first, 'cccc')
    const before = { heads: [...first.heads()], tail: first.tail, records: await all(first.read()) }
    await first.close()
    await first.close()
    const second = await open(home, { bootId: 'boot-b' })
    assert.equal([...second.heads()], before.heads)
    assert.equal(second.tail, before.tail)
    assert.equal(await all(second.read()), before.records)
    assert.equal(
      before.records.slice(0, 3),
      commits.map(({ record }) => record),
    )
    assert.is(second.claimant('web'), 'aaaa')
    assert.is(second.claimant('gone'), undefined)
    assert.equal(await second.command('c9'), { box: 'aaaa', position: 3 })
    assert.is(second.epoch, 2)
    assert.equal(second.previous, { epoch: 1, bootId: 'boot-a', closed: true })
    await submit(second, 'bbbb', { type: 'start.requested' })
    assert.ok((await second.verify({ replay: true })).ok)
    await second.close()
  }))

test('reads begin and end anywhere, also across pages', () =>
  withLedger(async ledger => {
    await Promise.all(Array.from({ length: 600 }, (_, n) => create(ledger, `box${n}`)))
    await submit(ledger, 'box3', { type: 'start.requested' })
    const positions = async (from?: number, to?: number) =>
      (await all(ledger.read({ ...(from ? { from } : {}), ...(to ? { to } : {}) }))).map(r => r.position)
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
    for (const [from, to] of [
      [1, 601],
      [255, 258],
      [256, 256],
      [257, 601],
      [601, 601],
    ] as const)
      assert.equal(await positions(from, to), range(from, to))
    assert.equal(await positions(602), [])
    assert.equal(await positions(600, 9999), [600, 601])
    assert.equal(
      (await all(ledger.read({ box: 'box3' }))).map(r => r.version),
      [1, 2],
    )
    assert.equal(
      (await all(ledger.read({ box: 'box3', from: 5 }))).map(r => r.position),
      [601],
    )
    assert.equal(await all(ledger.read({ box: 'box3', from: 5, to: 600 })), [])
    assert.equal(await all(ledger.history('nobody')), [])
  }))

test('a read sees what is committed while it reads, and ends at the tail', () =>
  withLedger(async ledger => {
    await create(ledger, 'aaaa')
    const seen: number[] = []
    for await (const record of ledger.read()) {
      seen.push(record.position)
      if (seen.length < 5) await create(ledger, `box${seen.length}`)
    }
    assert.equal(seen, [1, 2, 3, 4, 5])
  }))

test('a box has a long history', () =>
  withLedger(async ledger => {
    await create(ledger, 'aaaa')
    for (let n = 0; n < 300; n += 1) {
      await Promise.all([
        submit(ledger, 'aaaa', { type: 'box.renamed', name: `name-${n}` }),
        create(ledger, `box${n}`),
      ])
    }
    const history = await all(ledger.history('aaaa'))
    assert.equal(
      history.map(r => r.version),
      Array.from({ length: 301 }, (_, n) => n + 1),
    )
    assert.equal(
      history,
      (await all(ledger.read())).filter(({ box }) => box === 'aaaa'),
    )
  }))

test('the history of a removed box stays, its head too, and its ID is used up', () =>
  withHome(async home => {
    let ledger = await open(home)
    await create(ledger, 'aaaa', 'web')
    await remove(ledger, 'aaaa')
    for (let opened = 1; opened <= 2; opened += 1) {
      assert.is(ledger.head('aaaa'), undefined)
      assert.is([...ledger.heads()].length, 0)
      assert.is((await ledger.removedHead('aaaa'))?.version, 3)
      assert.is(await ledger.removedHead('bbbb'), undefined)
      assert.equal(
        (await all(ledger.history('aaaa'))).map(r => r.event.type),
        ['box.created', 'remove.requested', 'box.removed'],
      )
      assert.is((await rejection(create(ledger, 'aaaa'))).code, 'WRONG_EXPECTED_VERSION')
      assert.ok((await ledger.verify({ replay: true })).ok)
      await ledger.close()
      ledger = await open(home)
    }
    await ledger.close()
  }))

test('nothing is told before it is durable: the disk, the listeners, the appender', async () => {
  const order: string[] = []
  let letGo = () => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  await withLedger(
    async ledger => {
      ledger.onCommit(committed => {
        assert.is(ledger.tail.position, committed.at(-1)?.record.position)
        assert.is(ledger.head('aaaa')?.version, 1)
        order.push('listener')
      })
      const done = create(ledger, 'aaaa', 'web').then(() => order.push('appender'))
      await new Promise(resolve => setImmediate(resolve))
      assert.equal(order, ['asked'])
      assert.is(ledger.head('aaaa'), undefined)
      assert.is(ledger.tail.position, 0)
      assert.equal(await all(ledger.read()), [])
      letGo()
      await done
      assert.equal(order, ['asked', 'written', 'listener', 'appender'])
    },
    {
      aroundFlush: async write => {
        order.push('asked')
        await held
        await write()
        order.push('written')
      },
    },
  )
})

test('what arrives during a write goes together into the next', async () => {
  const groups: number[] = []
  let letGo = () => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  await withLedger(
    async ledger => {
      ledger.onCommit(committed => groups.push(committed.length))
      const first = create(ledger, 'aaaa')
      await new Promise(resolve => setImmediate(resolve))
      const others = Array.from({ length: 50 }, (_, n) => create(ledger, `box${n}`))
      letGo()
      await Promise.all([first, ...others])
      assert.equal(groups, [1, 50])
    },
    { aroundFlush: write => held.then(write) },
  )
})

test('a queue that is full says so, and what is in it is written', async () => {
  let letGo = () => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  await withLedger(
    async ledger => {
      const taken = Array.from({ length: 10 }, (_, n) => create(ledger, `box${n}`))
      const error = await rejection(create(ledger, 'aaaa', 'web'))
      assert.is(error.code, 'ENGINE_OVERLOADED')
      assert.is(ledger.claimant('web'), undefined)
      letGo()
      await Promise.all(taken)
      await create(ledger, 'aaaa', 'web')
      assert.is(ledger.tail.position, 11)
    },
    { maxQueued: 10, aroundFlush: write => held.then(write) },
  )
})

test('close writes what is queued, and takes nothing after it', () =>
  withHome(async home => {
    const ledger = await open(home)
    const queued = Array.from({ length: 300 }, (_, n) => create(ledger, `box${n}`))
    const closed = ledger.close()
    assert.is((await rejection(create(ledger, 'late'))).code, 'ENGINE_CLOSED')
    await closed
    await Promise.all(queued)
    assert.is((await rejection(all(ledger.read()))).code, 'ENGINE_CLOSED')
    const again = await open(home)
    assert.is(again.tail.position, 300)
    await again.close()
  }))

test('an event that is no JSON is refused and leaves nothing behind', () =>
  withLedger(async ledger => {
    const bad = next(ledger, 'aaaa', { ...created('aaaa', 'web'), labels: { a: 1n } } as never)
    assert.is((await rejection(ledger.append(bad))).code, 'INVALID_ARGUMENT')
    assert.is((await rejection(create(ledger, 'a/b'))).code, 'INVALID_ARGUMENT')
    assert.is((await rejection(create(ledger, 'aaaa', null, { at: 1.5 }))).code, 'INVALID_ARGUMENT')
    await create(ledger, 'aaaa', 'web')
    assert.is(ledger.tail.position, 1)
    assert.ok((await ledger.verify({ replay: true })).ok)
  }))

test('durability of the process alone keeps all the other promises', () =>
  withHome(async home => {
    const ledger = await open(home, { durability: 'process' })
    await Promise.all(Array.from({ length: 100 }, (_, n) => create(ledger, `box${n}`, `name${n}`)))
    await ledger.close()
    const again = await open(home)
    assert.is(again.tail.position, 100)
    assert.ok((await again.verify({ replay: true })).ok)
    await again.close()
  }))

test('a home is made private, and what cannot be one is refused', () =>
  withHome(async home => {
    const ledger = await open(home)
    await ledger.close()
    const mode = async (path: string) => (await stat(path)).mode & 0o777
    assert.is(await mode(home), 0o700)
    assert.is(await mode(join(home, 'ledger')), 0o700)
    assert.is(await mode(join(home, 'lock')), 0o600)
    assert.is(await mode(join(home, 'ledger.tail')), 0o600)
    const file = join(dirname(home), 'file')
    await writeFile(file, '')
    await mkdir(join(dirname(home), 'dir'))
    for (const bad of [file, join(file, 'below'), 'relative', '', 'a\0b', 7 as never])
      assert.is((await rejection(open(bad))).code, 'INVALID_ARGUMENT')
  }))

test.run()
