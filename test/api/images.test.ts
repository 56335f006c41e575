import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime, type ImageSpec } from 'boxledger'
import * as assert from 'uvu/assert'
import { plantImage } from '../examples/stand-in-image.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { ways } from './ways.ts'

const test = suite('api: images')
const small = smallGuest('idle')

const stagedIn = (home: string) =>
  existsSync(join(home, 'images'))
    ? readdirSync(join(home, 'images')).filter(name => name.startsWith('.adding-'))
    : []

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  return BoxError.is(error) ? `${error.code} ${error.details.field ?? ''}`.trim() : String(error)
}

for (const way of ways) {
  const within = (use: (runtime: BoxRuntime, home: string, dir: string) => Promise<void>) =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      try {
        await use(opened.runtime, home, dir)
      } finally {
        const left = await opened.runtime.listInfo().catch(() => [])
        for (const { id } of left) await opened.runtime.remove(id, { force: true })
      }
    })

  test(`${way.name}: an image is added, boxes are made of it, and it stays while they do`, () =>
    within(async (runtime, home) => {
      assert.equal(await runtime.images.list(), [{ name: 'builtin', kind: 'builtin', bytes: 0, boxes: [] }])
      await runtime.images.add('mine', small)
      const box = await runtime.create({ image: 'mine', memoryMib: 64, stopTimeoutMs: 200 })
      await box.start()
      assert.equal([(await box.info()).state, (await box.info()).spec.image], ['running', 'mine'])
      const [, image] = await runtime.images.list()
      const bytes = statSync(small.kernel).size
      assert.equal(
        { ...image, addedAt: undefined },
        {
          ...{ name: 'mine', kind: 'files', bytes, boxes: [box.id], addedAt: undefined },
        },
      )
      assert.is(await codeOf(box.exec('true').wait()), 'UNSUPPORTED')

      const refused = await runtime.images.remove('mine').catch(error => error)
      assert.equal([refused.code, refused.details.boxes], ['INVALID_STATE', [box.id]])
      await box.remove({ force: true })
      await runtime.images.remove('mine')
      assert.equal(
        (await runtime.images.list()).map(({ name }) => name),
        ['builtin'],
      )
      assert.equal(readdirSync(join(home, 'images')), [])
      assert.is(await codeOf(runtime.images.remove('mine')), 'NOT_FOUND')
    }))

  test(`${way.name}: what is copied is private, and written down with its size and hash`, () =>
    within(async (runtime, home, dir) => {
      const disk = join(dir, 'disk')
      writeFileSync(disk, 'some disk')
      const spec: ImageSpec = { ...small, initramfs: disk, disks: [{ path: disk, readonly: true }] }
      await runtime.images.add('mine', { ...spec, agent: true })
      const path = join(home, 'images', 'mine')
      assert.is(statSync(path).mode & 0o777, 0o700)
      assert.equal(readdirSync(path).sort(), ['disk-0', 'image.json', 'initramfs', 'kernel'])
      for (const name of readdirSync(path)) assert.is(statSync(join(path, name)).mode & 0o777, 0o600, name)
      const manifest = JSON.parse(readFileSync(join(path, 'image.json'), 'utf8'))
      const sha256 = createHash('sha256').update('some disk').digest('hex')
      assert.equal(manifest.disks, [{ file: 'disk-0', bytes: 9, sha256, format: 'raw', readonly: true }])
      assert.equal([manifest.cmdline, manifest.agent], [small.cmdline, true])
    }))

  test(`${way.name}: what cannot be added is refused, naming the field, and leaves nothing`, () =>
    within(async (runtime, home, dir) => {
      mkdirSync(join(dir, 'directory'))
      writeFileSync(join(dir, 'empty'), '')
      const add = (name: unknown, spec: unknown) => codeOf(runtime.images.add(name as never, spec as never))
      for (const name of ['', '../a', 'a/b', '.a', 'builtin', 'builtin-0', 'a'.repeat(64), 1, null, '\0'])
        assert.is(await add(name, small), 'INVALID_ARGUMENT name', String(name))
      for (const spec of [undefined, null, 'a', []]) assert.is(await add('a', spec), 'INVALID_ARGUMENT image')
      assert.is(await add('a', {}), 'INVALID_ARGUMENT kernel')
      assert.is(await add('a', { ...small, extra: 1 }), 'INVALID_ARGUMENT extra')
      assert.is(await add('a', { kernel: join(dir, 'none') }), 'NOT_FOUND kernel')
      assert.is(await add('a', { kernel: join(dir, 'directory') }), 'INVALID_ARGUMENT kernel')
      assert.is(await add('a', { ...small, initramfs: join(dir, 'empty') }), 'INVALID_ARGUMENT initramfs')
      const disks = [{ path: small.kernel }, { path: join(dir, 'none') }]
      assert.is(await add('a', { ...small, disks }), 'NOT_FOUND disks.1.path')
      assert.is(await add('taken', small), 'undefined')
      assert.is(await add('taken', small), 'NAME_TAKEN')
      assert.is(await codeOf(runtime.images.remove('builtin')), 'INVALID_ARGUMENT name')
      assert.is(await codeOf(runtime.images.remove('../taken')), 'INVALID_ARGUMENT name')
      assert.is(await codeOf(runtime.images.remove('none')), 'NOT_FOUND')
      const gone = AbortSignal.abort()
      assert.is(await codeOf(runtime.images.add('a', small, { signal: gone })), 'ABORTED')
      assert.equal(readdirSync(join(home, 'images')), ['taken'])
    }))

  test(`${way.name}: each box has disks of its own, which stay with it; the image's are never written to`, () =>
    within(async (runtime, home, dir) => {
      const disk = join(dir, 'disk')
      writeFileSync(disk, Buffer.alloc(4096, 'a'))
      await runtime.images.add('mine', { ...small, disks: [{ path: disk }, { path: disk, readonly: true }] })
      const made = { image: 'mine', memoryMib: 64, stopTimeoutMs: 200 }
      const [one, two] = [await runtime.create(made), await runtime.create(made)]
      await one.start()
      await two.start()
      const disksOf = (id: string) => join(home, 'boxes', id, 'disks')
      const own = join(disksOf(one.id), 'disk-0.img')
      assert.equal(readdirSync(disksOf(one.id)), ['disk-0.img'])
      assert.equal([statSync(disksOf(one.id)).mode & 0o777, statSync(own).mode & 0o777], [0o700, 0o600])
      await one.stop({ mode: 'kill' })
      writeFileSync(own, Buffer.alloc(4096, 'b'))
      await one.start()
      assert.is(readFileSync(own, 'latin1')[0], 'b')
      assert.is(readFileSync(join(disksOf(two.id), 'disk-0.img'), 'latin1')[0], 'a')
      assert.is(readFileSync(join(home, 'images', 'mine', 'disk-0'), 'latin1')[0], 'a')
      await one.remove({ force: true })
      assert.equal(readdirSync(join(home, 'boxes')), [two.id])
    }))

  test(`${way.name}: of many who add an image under one name one does`, () =>
    within(async (runtime, home) => {
      const codes = await Promise.all(
        Array.from({ length: 5 }, () => codeOf(runtime.images.add('mine', small))),
      )
      assert.equal(codes.sort(), [...Array(4).fill('NAME_TAKEN'), 'undefined'])
      assert.equal(readdirSync(join(home, 'images')), ['mine'])
    }))

  test(`${way.name}: an adding that is given up leaves nothing`, () =>
    within(async (runtime, home, dir) => {
      const disk = join(dir, 'disk')
      writeFileSync(disk, '')
      truncateSync(disk, 2 ** 33)
      const spec = { ...small, disks: [{ path: disk }] }
      const abort = new AbortController()
      const adding = codeOf(runtime.images.add('mine', spec, { signal: abort.signal }))
      await eventually(() => stagedIn(home).length > 0)
      abort.abort()
      assert.is(await adding, 'ABORTED')
      await eventually(() => stagedIn(home).length === 0)
    }))

  test(`${way.name}: an image that is not there, or not whole any more, fails the start`, () =>
    within(async (runtime, home) => {
      const early = await runtime.create({ image: 'mine', memoryMib: 64 })
      assert.is(await codeOf(early.start()), 'NOT_FOUND')
      await runtime.images.add('mine', small)
      // It was taken to have an agent, when nobody could know.
      assert.is(await codeOf(early.start()), 'BOOT_FAILED')
      const box = await runtime.create({ image: 'mine', memoryMib: 64, stopTimeoutMs: 200 })
      const kernel = join(home, 'images', 'mine', 'kernel')
      const bytes = readFileSync(kernel)
      writeFileSync(kernel, bytes.subarray(1))
      assert.is(await codeOf(box.start()), 'BOOT_FAILED')
      writeFileSync(kernel, bytes)
      await box.start()
      writeFileSync(join(home, 'images', 'mine', 'image.json'), '{')
      const [, image] = await runtime.images.list()
      assert.is(image?.kind, 'damaged')
      await box.stop({ mode: 'kill' })
      writeFileSync(join(home, 'images', 'mine', 'image.json'), '{"format":2,"kind":"cloud"}')
      assert.is((await runtime.images.list())[1]?.kind, 'newer')
      assert.is(await codeOf(box.start()), 'FORMAT_UNSUPPORTED')
      await early.remove()
      await box.remove({ force: true })
      await runtime.images.remove('mine')
    }))

  test(`${way.name}: a question to an agent is refused where the image has none`, () =>
    within(async runtime => {
      await runtime.images.add('mine', small)
      const health = { command: ['true'] }
      assert.is(await codeOf(runtime.create({ image: 'mine', health })), 'INVALID_ARGUMENT health.command')
      await runtime.images.add('other', { ...small, agent: true })
      await runtime.create({ image: 'other', health })
    }))
}

const tree = (root: string) => {
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'etc', 'motto'), 'made of a directory', { mode: 0o640 })
  writeFileSync(join(root, 'large'), Buffer.alloc(20 << 20, 'x'))
  return root
}

for (const way of ways) {
  test(`${way.name}: a directory becomes a disk, with holes where nothing is`, () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const { images } = opened.runtime
      const root = tree(join(dir, 'root'))
      const add = (spec: unknown) => codeOf(images.add('disk', spec as never))
      mkdirSync(join(dir, 'empty'))
      assert.is(await add({ root: join(dir, 'none') }), 'NOT_FOUND root')
      assert.is(await add({ root: join(root, 'large') }), 'INVALID_ARGUMENT root')
      assert.is(await add({ root: join(dir, 'empty') }), 'INVALID_ARGUMENT root')
      assert.is(await add({ root: dir }), 'INVALID_ARGUMENT root', 'it holds the home')
      assert.is(await add({ root: '/' }), 'INVALID_ARGUMENT root')
      assert.is(await add({ root, kernel: '/k' }), 'INVALID_ARGUMENT kernel')
      for (const sizeMib of [0, 15, 16.5, '64', null])
        assert.is(await add({ root, sizeMib }), 'INVALID_ARGUMENT sizeMib', String(sizeMib))
      assert.is(await add({ root, sizeMib: 16 }), 'INVALID_ARGUMENT sizeMib', 'too small')
      assert.is(await add({ root, sizeMib: 21 }), 'INVALID_ARGUMENT sizeMib', 'too small, as mke2fs finds')
      assert.equal(readdirSync(join(home, 'images')), [])

      await images.add('disk', { root, sizeMib: 64 })
      const disk = join(home, 'images', 'disk', 'root')
      const { size, blocks, mode } = statSync(disk)
      assert.equal([size, mode & 0o777], [64 << 20, 0o600])
      assert.ok(blocks * 512 < 32 << 20, `${blocks} blocks`)
      const shown = spawnSync('/usr/sbin/debugfs', ['-R', 'cat /etc/motto', disk], { encoding: 'utf8' })
      assert.is(shown.stdout, 'made of a directory')
      const [, found] = await images.list()
      assert.equal([found?.kind, found?.bytes], ['root', 64 << 20])
      await images.add('roomy', { root })
      const roomy = (await images.list()).find(({ name }) => name === 'roomy')
      assert.ok((roomy?.bytes ?? 0) > 1 << 30, 'what it holds and a gibibyte')
    }))
}

test('a box has a disk of its own, made from that of its image', () =>
  withTempDir(async home => {
    await plantImage(home)
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const root = `${home}.root`
    try {
      await runtime.images.add('disk', { root: tree(root), sizeMib: 64 })
      const box = await runtime.create({ image: 'disk', ready: 'vmm', command: ['true'] })
      await box.start()
      const own = join(home, 'boxes', box.id, 'disks', 'root.img')
      const { size, blocks, mode } = statSync(own)
      assert.equal([size, mode & 0o777], [64 << 20, 0o600])
      assert.ok(blocks * 512 < 32 << 20, `${blocks} blocks`)
      await box.remove({ force: true })
      assert.not.ok(existsSync(own))
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }))

test('a runtime that is closed gives up what is being added, and leaves nothing of it', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const disk = join(dir, 'disk')
    writeFileSync(disk, '')
    truncateSync(disk, 2 ** 33)
    const adding = codeOf(runtime.images.add('mine', { ...small, disks: [{ path: disk }] }))
    await eventually(() => stagedIn(home).length > 0)
    await runtime.close()
    assert.is(await adding, 'ENGINE_CLOSED')
    assert.equal(readdirSync(join(home, 'images')), [])
  }))

test('what a cut-off adding has left goes with the next owner; what is not ours stays', () =>
  withTempDir(async home => {
    const images = join(home, 'images')
    const names = ['.adding-abcdef', '.removing-1', '.making-abcdef', 'builtin-0123456789ab-6', 'other']
    for (const name of names) mkdirSync(join(images, name), { recursive: true })
    writeFileSync(join(images, '.adding-abcdef', 'kernel'), 'half')
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    assert.equal(readdirSync(images).sort(), ['.making-abcdef', 'builtin-0123456789ab-6', 'other'])
    assert.is(await codeOf(runtime.images.add('other', small)), 'NAME_TAKEN')
    await runtime.close()
    assert.is(await codeOf(runtime.images.list()), 'ENGINE_CLOSED')
    assert.is(await codeOf(runtime.images.add('a', small)), 'ENGINE_CLOSED')
    assert.is(await codeOf(runtime.images.remove('a')), 'ENGINE_CLOSED')
  }))

test.run()
