import type { LedgerRecord } from 'boxledger'
import type { Flush, Simulation } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { codeOf, inWorld } from './in-world.ts'

const test = suite('testing: the faulty disk')

const written: Flush = { writeMs: 0, answerMs: 0, outcome: 'written' }

/** A disk that does the next things asked of it in these ways, and all further ones well. */
const disk = (...flushes: readonly Partial<Flush>[]) => {
  const left = [...flushes]
  return () => ({ ...written, ...left.shift() })
}

async function typesOf(records: AsyncIterable<LedgerRecord>): Promise<string[]> {
  const types: string[] = []
  for await (const { event } of records) types.push(event.type)
  return types
}

/** A ledger that mends itself answers when it has. */
const recorded = (world: Simulation) => world.until(typesOf(world.runtime.events({ from: 1 })))

test('a write takes its time, and its caller waits for the answer', () =>
  inWorld({ flush: disk({ writeMs: 300, answerMs: 200 }) }, async world => {
    const created = world.runtime.create({})
    await world.advance(299)
    assert.is(world.disk.flushes, 0)
    await world.advance(1)
    assert.is(world.disk.flushes, 1)
    await world.until(created)
    assert.is(world.clock.monotonic(), 500)
  }))

test('a lost write is rejected and not there', () =>
  inWorld({ flush: disk({ outcome: 'lost' }) }, async world => {
    const create = () => world.runtime.create({ name: 'web' }, { commandId: 'once' })
    assert.is(await world.until(codeOf(create())), 'COMMIT_UNKNOWN')
    assert.equal([world.disk.flushes, world.disk.faults, await recorded(world)], [0, 1, []])
    await world.until(create())
    assert.equal(await recorded(world), ['box.created'])
  }))

test('a write that is there is rejected all the same: asked for again, it was done once', () =>
  inWorld({ flush: disk({ outcome: 'there' }) }, async world => {
    const create = () => world.runtime.create({ name: 'web' }, { commandId: 'once' })
    assert.is(await world.until(codeOf(create())), 'COMMIT_UNKNOWN')
    assert.equal([world.disk.flushes, world.disk.faults], [1, 1])
    const box = await world.until(create())
    assert.is(world.disk.head(box.id)?.version, 1)
    assert.equal(await recorded(world), ['box.created'])
  }))

for (const [when, atMs, isThere] of [
  ['before it is on the disk', 250, false],
  ['after it is on the disk, before the answer', 350, true],
] as const)
  test(`an engine that is killed ${when}: ${isThere ? 'it is there' : 'it never was'}`, () =>
    inWorld({ flush: disk({ writeMs: 300, answerMs: 200 }) }, async world => {
      const code = codeOf(world.runtime.create({}))
      await world.advance(atMs)
      world.crash()
      await world.advance(1_000)
      await world.reopen()
      assert.equal(await recorded(world), isThere ? ['box.created'] : [])
      assert.is(await Promise.race([code, Promise.resolve('no answer')]), 'no answer')
    }))

test('a full disk takes nothing, until there is room', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({ name: 'web' })
    world.disk.isFull = true
    await world.until(codeOf(box.start()))
    assert.is(await world.until(codeOf(world.runtime.create({}))), 'NO_SPACE')
    assert.equal(await recorded(world), ['box.created'])
    world.disk.isFull = false
    await world.advance(10_000)
    await world.until(box.start())
    assert.is((await box.info()).state, 'running')
  }))

test('a home on a full disk opens', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({ name: 'web' })
    world.crash()
    world.disk.isFull = true
    await world.until(world.reopen())
    assert.is((await world.runtime.getInfo('web'))?.id, box.id)
    world.disk.isFull = false
  }))

test('it is told what a box would be found as, and of a box that never was, nothing', () =>
  inWorld({ flush: disk({}, { writeMs: 100 }) }, async world => {
    const box = await world.runtime.create({ name: 'web' })
    const renamed = world.runtime.rename('web', 'site')
    const name = () => world.disk.head(box.id)?.state.context.name
    assert.is(name(), 'web')
    await world.until(renamed)
    assert.is(name(), 'site')
    assert.is(world.disk.head('abcdefghijkl'), undefined)
  }))

test.run()
