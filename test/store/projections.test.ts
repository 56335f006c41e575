import { type BoxEvent, type Head, isRefusal, publicStateOf, step } from 'boxledger/machines'
import { type Ledger, Projections } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { create, created, open, remove, submit, withHome, withLedger } from './boxes.ts'

const test = suite('projections')

function follow(ledger: Ledger): Projections {
  const projections = new Projections()
  projections.load(ledger.heads())
  ledger.onCommit(committed => projections.apply(committed.map(({ head }) => head)))
  return projections
}

const ids = (heads: Iterable<Head>) => [...heads].map(({ box }) => box)

test('look-ups by ID, name, prefix, state and label, newest first', () =>
  withLedger(async ledger => {
    const projections = follow(ledger)
    const make = async (id: string, name: string | null, labels: Record<string, string>) => {
      const outcome = step(undefined, created(id, name, labels), { at: 1, version: 1 })
      if (isRefusal(outcome)) throw new Error('refused')
      await ledger.append({ box: id, expectedVersion: 0, transition: outcome, at: 1, meta: {} })
    }
    await make('abcd1', 'one', { tier: 'web', zone: 'a' })
    await make('abcd2', 'two', { tier: 'web' })
    await make('abce3', null, { tier: 'db' })
    await submit(ledger, 'abcd1', { type: 'start.requested' })
    assert.is(projections.size, 3)
    assert.is(projections.get('abcd1'), ledger.head('abcd1'))
    assert.is(projections.byName('two')?.box, 'abcd2')
    assert.is(projections.byName('abcd2'), undefined)
    assert.equal(projections.byPrefix('abcd'), ['abcd1', 'abcd2'])
    assert.equal(projections.byPrefix('abc'), [])
    assert.equal(ids(projections.list()), ['abce3', 'abcd2', 'abcd1'])
    assert.equal(ids(projections.list({ limit: 2 })), ['abce3', 'abcd2'])
    assert.equal(ids(projections.list({ limit: 2, after: 'abcd2' })), ['abcd1'])
    assert.equal(ids(projections.list({ after: 3 })), ['abcd2', 'abcd1'])
    assert.equal(ids(projections.list({ after: 'nobody' })), [])
    assert.equal(ids(projections.list({ labels: { tier: 'web' } })), ['abcd2', 'abcd1'])
    assert.equal(ids(projections.list({ labels: { tier: 'web', zone: 'a' } })), ['abcd1'])
    assert.equal(ids(projections.list({ labels: { tier: 'none' } })), [])
    assert.equal(ids(projections.list({ states: ['starting', 'running'] })), ['abcd1'])
    assert.equal(ids(projections.list({ names: ['two', 'nobody', 'one'] })), ['abcd2', 'abcd1'])
    assert.equal(ids(projections.list({ names: ['one'], states: ['configured'] })), [])
    assert.equal(projections.countByState(), { starting: 1, configured: 2 })
    await submit(ledger, 'abcd2', { type: 'box.renamed', name: 'zwei' })
    assert.is(projections.byName('two'), undefined)
    assert.is(projections.byName('zwei')?.box, 'abcd2')
    await remove(ledger, 'abcd2')
    assert.is(projections.size, 2)
    assert.is(projections.byName('zwei'), undefined)
    assert.is(projections.get('abcd2'), undefined)
    assert.equal(projections.byPrefix('abcd'), ['abcd1'])
  }))

test('subscribers hear of each change', () =>
  withLedger(async ledger => {
    const projections = follow(ledger)
    const seen: [number, number][] = []
    projections.store.subscribe(({ context }) => seen.push([context.revision, projections.size]))
    const before = projections.revision
    await create(ledger, 'aaaa')
    await create(ledger, 'bbbb')
    assert.equal(seen, [
      [before + 1, 1],
      [before + 2, 2],
    ])
  }))

test('what is known already changes nothing', () =>
  withLedger(async ledger => {
    const projections = follow(ledger)
    const { head: old } = await create(ledger, 'aaaa', 'web')
    await submit(ledger, 'aaaa', { type: 'box.renamed', name: 'new' })
    projections.apply(old)
    assert.is(projections.byName('web'), undefined)
    assert.is(projections.byName('new')?.version, 2)
  }))

test('projections that followed are those that are rebuilt, and those of the ledger after a restart', () =>
  withHome(async home => {
    const random = makeRandom(takeSeed())
    const ledger = await open(home)
    const followed = follow(ledger)
    const names = ['a', 'b', 'c', 'd', 'e', 'f', null]
    const commands: BoxEvent[] = [
      { type: 'start.requested' },
      { type: 'stop.requested', mode: 'kill' },
      { type: 'remove.requested', force: false },
    ]
    for (let n = 0; n < 400; n += 1) {
      const heads = [...ledger.heads()]
      if (heads.length < 8) {
        await create(ledger, `box${n}`, random.pick(names)).catch(() => {})
        continue
      }
      const head = random.pick(heads)
      const removing = publicStateOf(head.state.value) === 'removing'
      const event: BoxEvent = removing
        ? { type: 'box.removed', incarnation: head.state.context.incarnation }
        : random.pick([...commands, { type: 'box.renamed', name: random.pick(names) }])
      const at = Date.now()
      const transition = step(head.state, event, { at, version: head.version + 1 })
      if (isRefusal(transition)) continue
      await ledger
        .append({ box: head.box, expectedVersion: head.version, transition, at, meta: {} })
        .catch((error: { code: string }) => assert.is(error.code, 'NAME_TAKEN'))
    }
    const compare = (one: Projections, other: Projections) => {
      assert.equal(one.list(), other.list())
      assert.equal(one.countByState(), other.countByState())
      for (const name of names) if (name) assert.equal(one.byName(name), other.byName(name))
    }
    const rebuilt = new Projections()
    rebuilt.load(ledger.heads())
    compare(followed, rebuilt)
    await ledger.close()
    const again = await open(home)
    compare(followed, follow(again))
    assert.ok((await again.verify({ replay: true })).ok)
    await again.close()
  }))

test.run()
