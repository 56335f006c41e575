import type { Call, CallName } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { codeOf, inWorld } from './in-world.ts'

const test = suite('testing: snapshots in a simulation')

/** The first call of a name comes to this. */
const once = (name: CallName, call: Call) => {
  let left = 1
  return (asked: CallName): Call => (asked === name && left-- > 0 ? call : {})
}

test('a simulated box is saved, goes on from there, and is cloned', () =>
  inWorld({}, async world => {
    const { runtime } = world
    const box = await runtime.create({ name: 'it' })
    await world.until(box.start())
    const made = await world.until(box.snapshots.create('one'))
    assert.equal(await box.snapshots.list(), [made])
    await world.until(box.stop({ mode: 'kill' }))
    await world.until(box.snapshots.restore('one'))
    assert.is((await box.info()).incarnation, 2)
    const clone = await world.until(box.clone())
    assert.is((await clone.info()).state, 'running')
    await world.until(box.snapshots.remove('one'))
    assert.equal(await box.snapshots.list(), [])
  }))

for (const [name, call, code] of [
  ['vm.pause', { outcome: 'refused' }, 'ENGINE_FAILED'],
  ['vm.snapshot', { outcome: 'refused' }, 'ENGINE_FAILED'],
  ['vm.snapshot', { outcome: 'lost' }, 'ENGINE_FAILED'],
  ['vm.snapshot', { outcome: 'dies' }, 'ABORTED'],
  ['vm.resume', { outcome: 'lost' }, 'none'],
] as const)
  test(`the box goes on where ${name} is ${call.outcome}`, () =>
    inWorld({ script: () => ({ call: once(name, call) }) }, async world => {
      const { runtime } = world
      const box = await runtime.create({ name: 'it' })
      await world.until(box.start())
      assert.is(await world.until(codeOf(box.snapshots.create('one'))), code)
      await world.until(box.waitFor(({ state }) => state !== 'stopping'))
      assert.is((await box.info()).state, call.outcome === 'dies' ? 'crashed' : 'running')
    }))

test('a restore that is refused is a failed start', () =>
  inWorld({ script: () => ({ call: once('vm.restore', { outcome: 'refused' }) }) }, async world => {
    const { runtime } = world
    const box = await runtime.create({ name: 'it' })
    await world.until(box.start())
    await world.until(box.snapshots.create('one'))
    await world.until(box.stop({ mode: 'kill' }))
    assert.is(await world.until(codeOf(box.snapshots.restore('one'))), 'BOOT_FAILED')
    assert.is((await box.info()).state, 'failed')
  }))

test.run()
