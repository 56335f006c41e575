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
  inWorld({}, async ({ runtime }) => {
    const box = await runtime.create({ name: 'it' })
    await box.start()
    const made = await box.snapshots.create('one')
    assert.equal(await box.snapshots.list(), [made])
    await box.stop({ mode: 'kill' })
    await box.snapshots.restore('one')
    assert.is((await box.info()).incarnation, 2)
    const clone = await box.clone()
    assert.is((await clone.info()).state, 'running')
    await box.snapshots.remove('one')
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
    inWorld({ script: () => ({ call: once(name, call) }) }, async ({ runtime }) => {
      const box = await runtime.create({ name: 'it' })
      await box.start()
      assert.is(await codeOf(box.snapshots.create('one')), code)
      await box.waitFor(({ state }) => state !== 'stopping')
      assert.is((await box.info()).state, call.outcome === 'dies' ? 'crashed' : 'running')
    }))

test('a restore that is refused is a failed start', () =>
  inWorld({ script: () => ({ call: once('vm.restore', { outcome: 'refused' }) }) }, async ({ runtime }) => {
    const box = await runtime.create({ name: 'it' })
    await box.start()
    await box.snapshots.create('one')
    await box.stop({ mode: 'kill' })
    assert.is(await codeOf(box.snapshots.restore('one')), 'BOOT_FAILED')
    assert.is((await box.info()).state, 'failed')
  }))

test.run()
