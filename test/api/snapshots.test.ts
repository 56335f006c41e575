// @timeout 120
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, BoxRuntime, type SnapshotInfo } from 'boxledger'
import * as assert from 'uvu/assert'
import { plantImage } from '../examples/stand-in-image.ts'
import { eventually } from '../support/eventually.ts'
import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { embedded, type Way, ways } from './ways.ts'

const test = suite('api: snapshots')

interface Place {
  readonly home: string
  readonly runtime: BoxRuntime
  readonly box: Box
}

const small = (mode = 'tick', words = '') => {
  const { kernel, cmdline } = smallGuest(mode)
  return { image: { kernel, cmdline: `${cmdline}${words}` }, memoryMib: 64, stopTimeoutMs: 100 }
}

/** A home with a box that is up, by a way to it. */
const upIn = (way: Way, body: (place: Place) => Promise<void>, options = small()): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await using opened = await way.open({ home, vmm: { binary: instantVmm } })
    const { runtime } = opened
    const box = await runtime.create({ ...options, name: 'it' })
    await box.start()
    try {
      await body({ home, runtime, box })
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (BoxError.is(error) ? error.code : error),
  )

const serialOf = (home: string, { id }: Box, incarnation: number): string =>
  readFileSync(join(home, 'boxes', id, String(incarnation), 'serial.log'), 'latin1')

const ticksIn = (text: string) => [...text.matchAll(/tick (\d+)/g)].map(([, n]) => Number(n))

const dirOf = (home: string, { id }: Box, name: string) => join(home, 'boxes', id, 'snapshots', name)

const typesOf = async (box: Box): Promise<string[]> => {
  const types: string[] = []
  for await (const { event } of box.events()) types.push(event.type)
  return types
}

for (const way of ways) {
  test(`${way.name}: a box goes on from where it was saved`, () =>
    upIn(way, async ({ home, box }) => {
      await eventually(() => ticksIn(serialOf(home, box, 1)).length >= 3)
      const made = await box.snapshots.create('one')
      assert.is(made.name, 'one')
      assert.ok(Math.abs(Date.parse(made.at) - Date.now()) < 10_000)
      assert.ok(made.bytes > 64 << 20)
      assert.match(made.vmm, /^53\./)
      const [requested] = (await typesOf(box)).flatMap((type, n) =>
        type === 'snapshot.requested' ? n + 1 : [],
      )
      assert.is(made.version, requested)
      assert.equal(await box.snapshots.list(), [made])
      assert.is((await box.info()).state, 'running')
      const before = ticksIn(serialOf(home, box, 1)).length
      await eventually(() => ticksIn(serialOf(home, box, 1)).length > before)
      const refused = await box.snapshots.restore('one').catch(error => error)
      assert.equal([refused.code, refused.details.state], ['INVALID_STATE', 'running'])
      await box.stop({ mode: 'kill' })
      await box.snapshots.restore('one')
      const info = await box.info()
      assert.is(info.state, 'running')
      assert.is(info.incarnation, 2)
      await eventually(() => ticksIn(serialOf(home, box, 2)).length >= 2)
      const [first = 0, second] = ticksIn(serialOf(home, box, 2))
      assert.ok(first >= 2 && first <= before, `it goes on with ${first}`)
      assert.is(second, first + 1)
      assert.not.match(serialOf(home, box, 2), 'hello', 'it has not booted')
      await box.restart()
      assert.match(serialOf(home, box, 3), 'hello', 'and a start is a boot again')
    }))

  test(`${way.name}: snapshots have names, and are listed and removed`, () =>
    upIn(way, async ({ home, runtime, box }) => {
      const one = await box.snapshots.create('one')
      assert.is(await codeOf(box.snapshots.create('one')), 'NAME_TAKEN')
      const other = await box.snapshots.create()
      assert.match(other.name, /^[0-9a-z]{12}$/)
      assert.equal(await box.snapshots.list(), [one, other])
      assert.is(await codeOf(box.snapshots.create('../x')), 'INVALID_ARGUMENT')
      assert.is(await codeOf(box.snapshots.create(7 as never)), 'INVALID_ARGUMENT')
      assert.is(await codeOf(box.snapshots.restore('none')), 'NOT_FOUND')
      assert.is(await codeOf(box.snapshots.remove('none')), 'NOT_FOUND')
      await box.snapshots.remove('one')
      assert.equal(await box.snapshots.list(), [other])
      assert.not.ok(existsSync(dirOf(home, box, 'one')))
      const again = await box.snapshots.create('one')
      assert.ok(again.version > one.version)
      await box.stop({ mode: 'kill' })
      assert.is(await codeOf(box.snapshots.create('down')), 'INVALID_STATE')
      await box.snapshots.remove(other.name)
      assert.equal(await box.snapshots.list(), [again])
      const { id } = box
      await runtime.remove(id)
      assert.not.ok(existsSync(join(home, 'boxes', id)), 'they go with the box')
      assert.equal(await box.snapshots.list(), [])
      assert.is(await codeOf(box.snapshots.create('gone')), 'NOT_FOUND')
    }))

  test(`${way.name}: the same command twice makes one snapshot, and one clone`, () =>
    upIn(way, async ({ runtime, box }) => {
      const one = await box.snapshots.create(undefined, { commandId: 'a' })
      assert.equal(await box.snapshots.create(undefined, { commandId: 'a' }), one)
      assert.equal(await box.snapshots.list(), [one])
      await box.snapshots.remove(one.name)
      assert.equal(await box.snapshots.create('b', { commandId: 'a' }), one, 'done once, though it is gone')
      await box.snapshots.create(one.name)
      const clone = await box.clone({ snapshot: one.name, commandId: 'b' })
      assert.is((await box.clone({ snapshot: one.name, commandId: 'b' })).id, clone.id)
      assert.is((await runtime.listInfo()).length, 2)
      assert.is(await codeOf(box.snapshots.create('c', { commandId: 'b' })), 'INVALID_ARGUMENT')
    }))

  test(`${way.name}: a clone is a box of its own`, () =>
    upIn(way, async ({ home, runtime, box }) => {
      await eventually(() => ticksIn(serialOf(home, box, 1)).length >= 3)
      const clone = await box.clone({ name: 'other' })
      assert.is(clone.name, 'other')
      const info = await clone.info()
      assert.is(info.state, 'running')
      assert.equal(info.spec, (await box.info()).spec)
      assert.equal(await box.snapshots.list(), [])
      assert.equal(await clone.snapshots.list(), [])
      await eventually(() => ticksIn(serialOf(home, clone, 1)).length >= 1)
      assert.ok((ticksIn(serialOf(home, clone, 1))[0] ?? 0) >= 2)
      assert.is(await codeOf(box.clone({ name: 'other' })), 'NAME_TAKEN')
      assert.is(await codeOf(box.clone({ snapshot: 'none' })), 'NOT_FOUND')
      assert.is(await codeOf(box.clone({ more: 1 } as never)), 'INVALID_ARGUMENT')
      assert.equal(await box.snapshots.list(), [], 'nothing is left of clones that were not made')
      await box.snapshots.create('kept')
      await box.stop({ mode: 'kill' })
      assert.is(await codeOf(box.clone()), 'INVALID_STATE', 'what is down cannot be saved')
      const late = await box.clone({ snapshot: 'kept' })
      await runtime.remove(box.id)
      assert.is((await late.info()).state, 'running')
      await clone.restart()
      assert.match(serialOf(home, clone, 2), 'hello', 'its later starts are boots')
    }))
}

test('a guest that is not there is restored, and cloned, as if it were', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(home, { mode: 0o700 })
    await plantImage(home)
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const box = await runtime.create({ memoryMib: 64 })
    try {
      await box.start()
      await box.snapshots.create('one')
      await box.stop()
      await box.snapshots.restore('one')
      assert.ok((await box.info()).guestReady)
      const clone = await box.clone()
      assert.ok((await clone.info()).guestReady)
      await clone.stop()
      assert.is((await clone.info()).ending?.cause, 'requested')
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  }))

test('a box that is paused stays so', () =>
  upIn(embedded, async ({ home, box }) => {
    await box.pause()
    await box.snapshots.create('one')
    assert.is((await box.info()).state, 'paused')
    const before = serialOf(home, box, 1)
    await box.resume()
    await eventually(() => serialOf(home, box, 1) !== before)
  }))

test('a snapshot that fails leaves nothing, and the box runs on', () =>
  upIn(
    embedded,
    async ({ home, box }) => {
      assert.is(await codeOf(box.snapshots.create('one')), 'INVALID_STATE')
      assert.is((await box.info()).state, 'running')
      assert.equal(await box.snapshots.list(), [])
      assert.not.ok(existsSync(join(home, 'boxes', box.id, '1', 'saving')))
      await box.snapshots.create('one')
    },
    small('tick', ' boxledger.fault=answer:vm.snapshot,status=500,nth=1'),
  ))

test('a stop while a snapshot is made wins', () =>
  upIn(
    embedded,
    async ({ home, box }) => {
      const made = codeOf(box.snapshots.create('one'))
      await box.waitFor(() => box.actor.getSnapshot().matches({ running: 'saving' }))
      assert.is(await codeOf(box.snapshots.create('two')), 'BUSY')
      await box.stop({ mode: 'kill' })
      assert.is(await made, 'ABORTED')
      assert.is((await box.info()).state, 'stopped')
      await box.start()
      assert.not.ok(existsSync(join(home, 'boxes', box.id, '1', 'saving')))
      assert.not.ok(existsSync(join(home, 'boxes', box.id, 'snapshots')))
    },
    small('tick', ' boxledger.fault=slow:vm.snapshot,ms=2000'),
  ))

test('disks that can be written to are not saved, and so the box is not', () =>
  withTempDir(async dir => {
    writeFileSync(join(dir, 'disk'), Buffer.alloc(1 << 20))
    await upIn(
      embedded,
      async ({ box }) => {
        assert.is(await codeOf(box.snapshots.create('one')), 'UNSUPPORTED')
        assert.is((await box.info()).state, 'running')
      },
      { ...small(), disks: [{ path: join(dir, 'disk'), format: 'raw' }] } as never,
    )
  }))

const damages: Readonly<Record<string, (dir: string) => void>> = {
  'memory cut to half': dir => truncateSync(join(dir, 'memory-ranges'), 32 << 20),
  'memory altered': dir => {
    const path = join(dir, 'memory-ranges')
    const bytes = readFileSync(path)
    bytes.writeUInt8((bytes.readUInt8(1000) + 1) % 256, 1000)
    writeFileSync(path, bytes)
  },
  'another state': dir => writeFileSync(join(dir, 'state.json'), '{"emulator":{"ticks":7}}'),
  'a manifest that is none': dir => writeFileSync(join(dir, 'manifest.json'), '{"format":1}'),
  'a manifest that is no JSON': dir => writeFileSync(join(dir, 'manifest.json'), 'so what'),
}

test('a damaged snapshot is refused before there is a VMM', () =>
  upIn(embedded, async ({ home, box }) => {
    for (const name of Object.keys(damages)) await box.snapshots.create(name.replaceAll(' ', '-'))
    await box.stop({ mode: 'kill' })
    for (const [name, damage] of Object.entries(damages)) {
      const snapshot = name.replaceAll(' ', '-')
      damage(dirOf(home, box, snapshot))
      assert.is(await codeOf(box.snapshots.restore(snapshot)), 'SNAPSHOT_CORRUPT', name)
      const { state, ending } = await box.info()
      assert.is(state, 'failed')
      assert.is(ending?.code, 'SNAPSHOT_CORRUPT')
      assert.is(await codeOf(box.clone({ snapshot })), 'SNAPSHOT_CORRUPT', name)
    }
    assert.not((await typesOf(box)).slice(-5).includes('vmm.spawned'))
    await box.start()
  }))

test('a snapshot of a newer boxledger, or of a newer VMM, is refused with a reason', () =>
  upIn(embedded, async ({ home, box }) => {
    const edit = (name: string, change: (manifest: Record<string, unknown>) => object) => {
      const path = join(dirOf(home, box, name), 'manifest.json')
      writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))))
    }
    for (const name of ['format', 'vmm', 'kind']) await box.snapshots.create(name)
    await box.stop({ mode: 'kill' })
    edit('format', manifest => ({ ...manifest, format: 3 }))
    edit('vmm', manifest => ({ ...manifest, vmm: { version: '99.0', features: [] } }))
    edit('kind', manifest => ({ ...manifest, vmm: { version: '53.0', features: ['other'] } }))
    assert.is(await codeOf(box.snapshots.restore('format')), 'FORMAT_UNSUPPORTED')
    assert.is(await codeOf(box.snapshots.restore('vmm')), 'UNSUPPORTED')
    assert.is(await codeOf(box.snapshots.restore('kind')), 'UNSUPPORTED')
    assert.is((await box.info()).state, 'failed')
  }))

test('what the ledger knows of snapshots outlives the owner', () =>
  withTempDir(async dir => {
    const options = { home: join(dir, 'home'), vmm: { binary: instantVmm } }
    let made: SnapshotInfo
    {
      await using runtime = await BoxRuntime.open(options)
      const box = await runtime.create({ ...small(), name: 'it' })
      await box.start()
      made = await box.snapshots.create('one')
      await box.stop({ mode: 'kill' })
    }
    await using runtime = await BoxRuntime.open(options)
    const box = (await runtime.get('it')) as Box
    assert.equal(await box.snapshots.list(), [made])
    await box.snapshots.restore('one')
    assert.ok((await runtime.verify({ replay: true })).ok)
    await box.remove({ force: true })
  }))

needsCloudHypervisor(test, 'cloud-hypervisor saves and restores, or says why it cannot', () =>
  withTempDir(async dir => {
    await using runtime = await BoxRuntime.open({
      home: join(dir, 'home'),
      vmm: { binary: 'cloud-hypervisor' },
    })
    const box = await runtime.create({ ...small(), name: 'it' })
    try {
      await box.start()
      try {
        await box.snapshots.create('one')
      } catch (error) {
        if (!BoxError.is(error, 'UNSUPPORTED')) throw error
        assert.is((await box.info()).state, 'running')
        console.log(`\nSKIP the rest: ${error.message}`)
        return
      }
      await box.stop({ mode: 'kill' })
      await box.snapshots.restore('one')
      assert.is((await box.info()).state, 'running')
    } finally {
      await box.remove({ force: true })
    }
  }),
)

test.run()
