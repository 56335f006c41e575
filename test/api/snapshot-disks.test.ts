// @timeout 120
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, type BoxOptions, type BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { embedded, type Way, ways } from './ways.ts'

const test = suite('api: disks in snapshots')
const small = smallGuest('idle')
const mib = 1 << 20

interface Place {
  readonly home: string
  readonly dir: string
  readonly runtime: BoxRuntime
  readonly box: Box
}

const own = ['disk-0.img', 'disk-2.img'] as const
const disksOf = (home: string, { id }: Pick<Box, 'id'>) => join(home, 'boxes', id, 'disks')
const savedIn = (home: string, { id }: Box, name: string) => join(home, 'boxes', id, 'snapshots', name)

/** What all own disks of a box are full of. */
function wordOn(home: string, box: Pick<Box, 'id'>): string {
  const dir = disksOf(home, box)
  assert.equal(readdirSync(dir).sort(), own, 'and nothing lies about')
  const [word, ...others] = own.map(name => {
    const bytes = readFileSync(join(dir, name))
    const word = bytes.toString('latin1', 0, 4)
    assert.ok(bytes.equals(Buffer.alloc(mib, word)), `${name} is whole`)
    return word
  })
  assert.equal(others, [word])
  return word ?? ''
}

function write(home: string, box: Pick<Box, 'id'>, word: string): void {
  for (const name of own) writeFileSync(join(disksOf(home, box), name), Buffer.alloc(mib, word))
}

/** A box with two disks of its own, and one that it only reads, by a way to it. */
const upIn = (way: Way, body: (place: Place) => Promise<void>, o: BoxOptions = {}): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const path = join(dir, 'disk')
    writeFileSync(path, Buffer.alloc(mib, 'made'))
    await using opened = await way.open({ home, vmm: { binary: instantVmm } })
    const { runtime } = opened
    await runtime.images.add('mine', { ...small, disks: [{ path }, { path, readonly: true }, { path }] })
    const box = await runtime.create({ image: 'mine', name: 'it', memoryMib: 64, stopTimeoutMs: 100, ...o })
    await box.start()
    try {
      await body({ home, dir, runtime, box })
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (BoxError.is(error) ? error.code : error),
  )

for (const way of ways) {
  test(`${way.name}: a box gets back the disks that it had, and its image's are never touched`, () =>
    upIn(way, async ({ home, box }) => {
      write(home, box, 'kept')
      const { bytes } = await box.snapshots.create('one')
      assert.is((await box.info()).state, 'running')
      const dir = savedIn(home, box, 'one')
      const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'))
      const sha256 = createHash('sha256').update(Buffer.alloc(mib, 'kept')).digest('hex')
      assert.is(manifest.format, 2)
      assert.equal(
        manifest.files.slice(3),
        own.map(name => ({ name, bytes: mib, sha256 })),
      )
      assert.is(
        bytes,
        manifest.files.reduce((sum: number, file: { bytes: number }) => sum + file.bytes, 0),
      )
      for (const name of own) assert.is(statSync(join(dir, name)).mode & 0o777, 0o600)
      write(home, box, 'lost')
      await box.stop({ mode: 'kill' })
      await box.snapshots.restore('one')
      assert.is(wordOn(home, box), 'kept')
      write(home, box, 'more')
      await box.restart()
      assert.is(wordOn(home, box), 'more', 'a start leaves them as they are')
      await box.stop({ mode: 'kill' })
      await box.snapshots.restore('one')
      assert.is(wordOn(home, box), 'kept', 'as often as you like')
      const image = readFileSync(join(home, 'images', 'mine', 'disk-0'))
      assert.ok(image.equals(Buffer.alloc(mib, 'made')))
    }))

  test(`${way.name}: a clone has the disks that were saved, and goes its own way`, () =>
    upIn(way, async ({ home, runtime, box }) => {
      write(home, box, 'kept')
      await box.snapshots.create('one')
      write(home, box, 'more')
      const [late, now] = [await box.clone({ snapshot: 'one' }), await box.clone()]
      assert.equal([wordOn(home, late), wordOn(home, now)], ['kept', 'more'])
      write(home, late, 'late')
      await late.restart()
      assert.equal([wordOn(home, late), wordOn(home, now), wordOn(home, box)], ['late', 'more', 'more'])
      await runtime.remove(box.id, { force: true })
      await late.snapshots.create('own')
      await now.restart()
      assert.equal([wordOn(home, late), wordOn(home, now)], ['late', 'more'])
    }))
}

test('what is damaged is refused before anything of the box is touched', () =>
  upIn(embedded, async ({ home, box }) => {
    const damages: Readonly<Record<string, (path: string) => void>> = {
      cut: path => truncateSync(path, mib / 2),
      altered: path => writeFileSync(path, `x${readFileSync(path, 'latin1').slice(1)}`, 'latin1'),
    }
    for (const name of Object.keys(damages)) await box.snapshots.create(name)
    write(home, box, 'last')
    await box.stop({ mode: 'kill' })
    for (const [name, damage] of Object.entries(damages)) {
      damage(join(savedIn(home, box, name), 'disk-2.img'))
      assert.is(await codeOf(box.snapshots.restore(name)), 'SNAPSHOT_CORRUPT', name)
      assert.is(await codeOf(box.clone({ snapshot: name })), 'SNAPSHOT_CORRUPT', name)
      assert.is(wordOn(home, box), 'last')
    }
    await box.start()
    assert.is(wordOn(home, box), 'last')
  }))

test('a VMM that cannot read a snapshot, and an image that has changed, leave the disks as they were', () =>
  upIn(embedded, async ({ home, box }) => {
    await box.snapshots.create('one')
    write(home, box, 'last')
    await box.stop({ mode: 'kill' })
    const path = join(savedIn(home, box, 'one'), 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...manifest, vmm: { version: '99.0', features: [] } }))
    assert.is(await codeOf(box.snapshots.restore('one')), 'UNSUPPORTED')
    await box.start()
    assert.is(wordOn(home, box), 'last')
    await box.stop({ mode: 'kill' })
    writeFileSync(path, JSON.stringify({ ...manifest, files: manifest.files.slice(0, 4) }))
    assert.is(await codeOf(box.snapshots.restore('one')), 'UNSUPPORTED')
    assert.is(wordOn(home, box), 'last')
  }))

test('a disk that is somebody else’s file is not saved, and so the box is not', () =>
  withTempDir(async dir => {
    const path = join(dir, 'yours')
    writeFileSync(path, Buffer.alloc(mib, 'your'))
    await upIn(
      embedded,
      async ({ home, box }) => {
        const refused = await box.snapshots.create('one').catch(error => error)
        assert.equal([refused.code, refused.details], ['UNSUPPORTED', { path }])
        assert.match(refused.message, path)
        assert.is((await box.info()).state, 'running')
        assert.equal(await box.snapshots.list(), [])
        assert.is(wordOn(home, box), 'made')
      },
      { disks: [{ path, format: 'raw' }] },
    )
  }))

test('a qcow2 is not saved: a VMM may know more of it than its file', () =>
  upIn(embedded, async ({ home, dir, runtime }) => {
    const path = join(dir, 'qcow2')
    writeFileSync(path, Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(mib)]))
    const disks = [{ path, format: 'qcow2' }] as const
    await runtime.images.add('other', { ...small, disks })
    const box = await runtime.create({ image: 'other', memoryMib: 64, stopTimeoutMs: 100 })
    await box.start()
    const refused = await box.snapshots.create('one').catch(error => error)
    const own = join(disksOf(home, box), 'disk-0.img')
    assert.equal([refused.code, refused.details], ['UNSUPPORTED', { path: own }])
  }))

test('a box may be held for as long as its disks take to be copied', () =>
  upIn(embedded, async ({ home, box }) => {
    truncateSync(join(disksOf(home, box), 'disk-0.img'), 2 ** 28)
    await box.snapshots.create('one')
    for await (const { at, event, timers } of box.events())
      if (event.type === 'snapshot.requested') {
        assert.is(event.disksMib, 257)
        const [limit] = timers.set
        assert.is((limit?.dueAt ?? 0) - Date.parse(at), 60_000 + 4 * 64 + 20 * 257)
      }
    const { size, blocks } = statSync(join(savedIn(home, box, 'one'), 'disk-0.img'))
    assert.is(size, 2 ** 28)
    assert.ok(blocks * 512 <= 2 * mib, `holes stay holes: ${blocks} blocks`)
  }))

/** A guest that does not have to be there: on the VMM without guests it is ready. */
const agent = { kernel: small.kernel, cmdline: 'boxledger.init', agent: true }

test('a box whose disks are not made yet begins with a template, and gets the disks that its memory knows', () =>
  upIn(embedded, async ({ home, dir, runtime }) => {
    const path = join(dir, 'disk')
    await runtime.images.add('warm', { ...agent, disks: [{ path }, { path, readonly: true }, { path }] })
    const make = () => runtime.create({ image: 'warm', memoryMib: 64, stopTimeoutMs: 100 })
    const late = await make()
    await late.start()
    const { bytes, fits } = await runtime.images.template('warm', { memoryMib: 64 })
    assert.ok(fits && (bytes ?? 0) > 66 * mib)
    const template = join(home, 'images', '.templates', 'warm', '1x64')
    const names = [...own, 'memory-ranges', 'state.json', 'template.json']
    assert.equal(readdirSync(template).sort(), names.sort())
    const manifestPath = join(template, 'template.json')
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'))
    assert.is(manifest.format, 2)
    // As if the guest had written to them when it booted.
    const sha256 = createHash('sha256').update(Buffer.alloc(mib, 'boot')).digest('hex')
    for (const name of own) {
      writeFileSync(join(template, name), Buffer.alloc(mib, 'boot'))
      manifest.files.find((file: { name: string }) => file.name === name).sha256 = sha256
    }
    writeFileSync(manifestPath, JSON.stringify(manifest))

    const box = await make()
    await box.start()
    assert.is(wordOn(home, box), 'boot')
    write(home, box, 'mine')
    await box.restart()
    assert.is(wordOn(home, box), 'mine')
    await late.restart()
    assert.is(wordOn(home, late), 'made', 'one that has its disks keeps them')
    const beginnings = async (box: Box) => {
      const all: unknown[] = []
      for await (const { event } of box.events())
        if (event.type === 'start.stage' && event.stage === 'spawning')
          all.push(event.template?.image ?? event.passedOver?.code)
      return all
    }
    assert.equal(await beginnings(box), ['warm', 'UNSUPPORTED'])
    assert.equal(await beginnings(late), [undefined, 'UNSUPPORTED'])

    const [first = ''] = own
    writeFileSync(join(template, first), Buffer.alloc(mib, 'torn'))
    const careful = await make()
    await careful.start()
    assert.equal(
      await beginnings(careful),
      ['SNAPSHOT_CORRUPT'],
      'before there is a VMM, and nothing is copied',
    )
    assert.is(wordOn(home, careful), 'made')
    writeFileSync(join(template, first), Buffer.alloc(mib, 'boot'))

    writeFileSync(manifestPath, JSON.stringify({ ...manifest, vmm: { version: '53.0.0', features: ['no'] } }))
    const boots = await make()
    await boots.start()
    assert.is(
      wordOn(home, boots),
      'made',
      'where the VMM will not have it the box boots, with those of its image',
    )
    assert.is((await boots.info()).incarnation, 2)
  }))

test.run()
