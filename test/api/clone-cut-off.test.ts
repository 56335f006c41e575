// @timeout 60
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'

const test = suite('api: a clone that is cut off by the death of its engine')
const owner = fileURLToPath(new URL('./cloning-owner.js', import.meta.url))

/** A home whose owner has died at a boundary while it made a clone of `it`, which has a snapshot `kept`. */
const afterDeath = (boundary: string, body: (runtime: BoxRuntime) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const [, signal] = await once(fork(owner, [home, boundary]), 'exit')
    assert.is(signal, 'SIGKILL', `it came to ${boundary}`)
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    try {
      await body(runtime)
      assert.ok((await runtime.verify({ replay: true })).ok)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

const namesOf = async (runtime: BoxRuntime): Promise<string[]> => {
  const box = await runtime.get('it')
  return (await box?.snapshots.list())?.map(({ name }) => name) ?? []
}

for (const boundary of ['after append snapshot.requested', 'after append snapshot.committed'])
  test(`${boundary}: its snapshot goes, and no other`, () =>
    afterDeath(boundary, async runtime => {
      const box = await runtime.get('it')
      const wanted = { types: ['snapshot.removed', 'snapshot.failed'], follow: true }
      const found = await box?.events(wanted).next()
      const event = found?.value?.event
      assert.match(event !== undefined && 'name' in event ? `${event.name}` : '', /^clone-/)
      assert.equal(await namesOf(runtime), ['kept'])
      assert.is((await box?.info())?.state, 'running')
    }))

test('after the clone is recorded: its snapshot stays until it was started with it', () =>
  afterDeath('after append box.created', async runtime => {
    const cloned = await runtime.get('cloned')
    assert.is((await cloned?.info())?.state, 'configured')
    // It would be gone by the time that another box was made.
    await runtime.create({ name: 'other' })
    assert.is((await namesOf(runtime)).length, 2)
    await cloned?.start()
    const types: string[] = []
    for await (const { event } of cloned?.events() ?? []) types.push(event.type)
    assert.ok(types.includes('snapshot.restored'))
    await eventually(async () => (await namesOf(runtime)).length === 1)
    assert.equal(await namesOf(runtime), ['kept'])
  }))

test('one that is removed instead needs it no more', () =>
  afterDeath('after append box.created', async runtime => {
    await runtime.remove('cloned')
    await eventually(async () => (await namesOf(runtime)).length === 1)
  }))

test.run()
