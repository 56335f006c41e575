import { execFile, spawn } from 'node:child_process'
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
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { ensureBuiltinImage, type ImageProgress, recipeName } from '../../../src/vmm/images/builtin.ts'
import { eventually } from '../../support/eventually.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { codeOf, imageError } from './codes.ts'
import {
  type FakeDebian,
  type FakeDebianOptions,
  fakeElf,
  fakeKernel,
  makeFakeDebian,
} from './fake-debian.ts'
import { readCpio } from './read-cpio.ts'

const builtin = suite('builtin image')
const program = fileURLToPath(new URL('./make-image.js', import.meta.url))

/** Runs a test on a made-up Debian machine. */
const onDebian =
  (options: FakeDebianOptions, fn: (dir: string, debian: FakeDebian) => Promise<void>) => (): Promise<void> =>
    withTempDir(async tmp => {
      const before = process.env.PATH
      const debian = makeFakeDebian(tmp, options)
      process.env.PATH = `${debian.bin}:${before}`
      try {
        await fn(join(tmp, 'home', 'images'), debian)
      } finally {
        process.env.PATH = before
      }
    })

const downloads = ({ log }: FakeDebian): string[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter(line => / download /.test(line))
const images = (dir: string): string[] => readdirSync(dir).filter(name => !name.startsWith('.'))
const leftovers = (dir: string): string[] => readdirSync(dir).filter(name => name.startsWith('.making-'))

builtin(
  'is made once, with progress, from a kernel, busybox and ordered modules',
  onDebian({}, async (dir, debian) => {
    const seen: ImageProgress[] = []
    const image = await ensureBuiltinImage({ dir, onProgress: progress => seen.push(progress) })
    assert.ok(readFileSync(image.kernel).equals(fakeElf()))
    assert.is(image.kernelVersion, '6.1.200-1')
    const [entries = []] = readCpio(readFileSync(image.initramfs))
    const text = (path: string) => entries.find(entry => entry.path === path)?.data.toString() ?? ''
    assert.match(text('init'), /^#!\/bin\/sh\n/)
    assert.is(text('bin/env'), 'busybox')
    assert.is(entries.find(({ path }) => path === '.')?.mode, 0o40755, 'only root may write to /')
    const modules = 'lib/modules/6.1.0-99-cloud-amd64'
    assert.match(text(`${modules}/modules.dep`), /^virtio_pci\.ko: surprise\.ko virtio\.ko$/m)
    assert.ok(entries.some(entry => entry.path === `${modules}/surprise.ko`))

    const fractions = seen.flatMap(progress => progress.fraction ?? [])
    assert.equal(
      fractions,
      [...fractions].sort((a, b) => a - b),
    )
    assert.is(fractions.at(-1), 1)
    assert.is(statSync(dir).mode & 0o777, 0o700)
    for (const path of [image.kernel, image.initramfs]) assert.is(statSync(path).mode & 0o777, 0o600)

    const calls = downloads(debian).length
    assert.equal(await ensureBuiltinImage({ dir }), image)
    assert.is(downloads(debian).length, calls)
    assert.equal(leftovers(dir), [])
  }),
)

builtin(
  'many calls and processes at once make one image',
  onDebian({}, async (dir, debian) => {
    const run = async () => (await promisify(execFile)(process.execPath, [program, dir])).stdout
    const own = async () => (await ensureBuiltinImage({ dir })).initramfs
    const paths = await Promise.all([own(), own(), run(), run(), run()])
    assert.is(new Set(paths).size, 1)
    assert.equal(images(dir), [`${recipeName()}-6.1.200-1`])
    assert.equal(leftovers(dir), [])
    assert.is(downloads(debian).length, 5)
  }),
)

builtin(
  'a build that is killed leaves nothing that a later one trusts, and its remains are cleared',
  onDebian({}, async (dir, debian) => {
    writeFileSync(debian.hold, '')
    const child = spawn(process.execPath, [program, dir], { stdio: 'ignore' })
    const gone = new Promise(resolve => child.once('close', resolve))
    await eventually(() => downloads(debian).length > 0, { what: 'the download' })
    child.kill('SIGKILL')
    await gone
    assert.equal(images(dir), [])
    assert.is(leftovers(dir).length, 1)
    rmSync(debian.hold)
    const image = await ensureBuiltinImage({ dir })
    assert.ok(existsSync(image.kernel))
    assert.equal(leftovers(dir), [])
  }),
)

builtin(
  'an image that is damaged, or only half there, is made again',
  onDebian({}, async dir => {
    const image = await ensureBuiltinImage({ dir })
    truncateSync(image.kernel, 10)
    assert.ok(readFileSync((await ensureBuiltinImage({ dir })).kernel).equals(fakeElf()))
    rmSync(join(image.kernel, '..', 'image.json'))
    assert.ok(existsSync((await ensureBuiltinImage({ dir })).initramfs))
    assert.is(images(dir).length, 1)
  }),
)

builtin(
  'an image of another recipe is not used and not touched',
  onDebian({}, async dir => {
    mkdirSync(join(dir, 'builtin-000000000000-1.0'), { recursive: true })
    await ensureBuiltinImage({ dir })
    assert.is(images(dir).length, 2)
  }),
)

for (const lists of ['missing', 'stale'] as const) {
  builtin(
    `package lists that are ${lists} are fetched, into a private place`,
    onDebian({ lists }, async (dir, debian) => {
      const steps: string[] = []
      await ensureBuiltinImage({ dir, onProgress: ({ message }) => steps.push(message) })
      assert.ok(steps.some(message => message.includes('package lists')))
      const updates = readFileSync(debian.log, 'utf8').match(/^apt-get .*update.*$/gm) ?? []
      assert.is(updates.length, 1)
      assert.match(updates[0] ?? '', join(dir, '.making-'))
    }),
  )
}

builtin(
  'without a network the error says what apt said, and the next call tries again',
  onDebian({ lists: 'stale', network: false }, async dir => {
    for (let i = 0; i < 2; i++) {
      const error = await imageError(() => ensureBuiltinImage({ dir }))
      assert.is(error.code, 'BOOT_FAILED')
      assert.match(error.message, 'Could not resolve deb.debian.org')
      assert.equal(leftovers(dir), [])
    }
  }),
)

builtin('without apt it is unsupported, naming the package', () =>
  withTempDir(async tmp => {
    const before = process.env.PATH
    process.env.PATH = tmp
    try {
      const error = await imageError(() => ensureBuiltinImage({ dir: join(tmp, 'images') }))
      assert.is(error.code, 'UNSUPPORTED')
      assert.is(error.details.package, 'apt')
    } finally {
      process.env.PATH = before
    }
  }),
)

for (const [what, kernel, code] of [
  ['is no bzImage', Buffer.alloc(5000), 'BOOT_FAILED'],
  ['has no PVH entry', fakeKernel(fakeElf('GNU\0', 3)), 'UNSUPPORTED'],
  ['is packed in an unknown way', fakeKernel(Buffer.from('BZh91AY&SY no idea')), 'UNSUPPORTED'],
  ['is packed badly', fakeKernel(Buffer.from('1f8b0800000000000003ffff', 'hex')), 'BOOT_FAILED'],
  ['is cut off', fakeKernel().subarray(0, 1050), 'BOOT_FAILED'],
] as const) {
  builtin(
    `a kernel that ${what} is refused`,
    onDebian({ kernel }, async dir => {
      assert.is(await codeOf(() => ensureBuiltinImage({ dir })), code)
      assert.equal(images(dir), [])
      assert.equal(leftovers(dir), [])
    }),
  )
}

builtin(
  'an abort ends a build, and a wait for another one',
  onDebian({}, async (dir, debian) => {
    writeFileSync(debian.hold, '')
    const first = new AbortController()
    const second = new AbortController()
    const building = codeOf(() => ensureBuiltinImage({ dir, signal: first.signal }))
    await eventually(() => downloads(debian).length > 0)
    const onProgress = ({ step }: ImageProgress) => {
      if (step === 'wait') second.abort()
    }
    assert.is(await codeOf(() => ensureBuiltinImage({ dir, signal: second.signal, onProgress })), 'ABORTED')
    first.abort()
    assert.is(await building, 'ABORTED')
    assert.equal(leftovers(dir), [])
    rmSync(debian.hold)
  }),
)

builtin.run()
