// @timeout 120
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { fingerprintOf } from '../store/repaired.ts'
import { askVmm } from '../support/ask-vmm.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { processesOf } from './lying.ts'

const test = suite('api: what somebody has put into a home')

interface World {
  readonly home: string
  /** a directory beside it, which nobody may touch */
  readonly outside: string
  readonly runtime: BoxRuntime
  make(): Promise<Box>
}

/** A home with a box that works, beside files that must stay as they are. */
const withWorld = (body: (world: World) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    const [home, outside] = [join(dir, 'home'), join(dir, 'outside')]
    mkdirSync(join(outside, '1', 'deep'), { recursive: true })
    for (const name of ['file', '1/serial.log', '1/deep/file', 'events'])
      writeFileSync(join(outside, name), 'precious')
    const before = fingerprintOf(outside)
    {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
      const make = () => runtime.create({ image: smallGuest('tick'), memoryMib: 64, stopTimeoutMs: 0 })
      const other = await make()
      await other.start()
      await body({ home, outside, runtime, make })
      await other.pause()
      await other.resume()
      await other.remove({ force: true })
      assert.equal(await runtime.listInfo(), [])
      assert.ok((await runtime.verify({ replay: true })).ok)
    }
    assert.is(fingerprintOf(outside), before, 'what is outside is as it was')
    await eventually(() => processesOf(dir).length === 0, { what: 'the end of all VMMs' })
  })

/** The code that work is refused with; undefined if it is done. */
const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    assert.ok(BoxError.is(error), error instanceof Error ? error.stack : String(error))
    return error.code
  }
}

const firstOf = async (box: Box): Promise<void> => {
  for await (const _ of box.console()) return
}

const gone = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) === undefined

/** Puts something in the place of a box's directory, which is not there yet. */
const inItsPlace: Readonly<Record<string, (dir: string, outside: string) => void>> = {
  'a link to a directory': (dir, outside) => symlinkSync(outside, dir),
  'a link to nothing': dir => symlinkSync('/nowhere/at/all', dir),
  'a link to itself': dir => symlinkSync(dir, dir),
  'a file': dir => writeFileSync(dir, 'x'),
  'a pipe': dir => void execFileSync('mkfifo', [dir]),
  'a link as its run directory': (dir, outside) => {
    mkdirSync(dir)
    symlinkSync(outside, join(dir, '1'))
  },
  'a run directory that is there': dir => mkdirSync(join(dir, '1'), { recursive: true }),
  'a run directory full of links': (dir, outside) => {
    mkdirSync(join(dir, '1'), { recursive: true })
    for (const name of ['events', 'serial.log', 'vmm.log', 'out', 'err', 'alive', 'api.sock', 'initramfs'])
      symlinkSync(join(outside, 'file'), join(dir, '1', name))
  },
  'names that look like numbers': (dir, outside) => {
    mkdirSync(dir)
    for (const name of ['0', '-1', '1e3', '0x1', '1.5', 'NaN', ' 1', '9'.repeat(30)])
      symlinkSync(outside, join(dir, name))
  },
}

for (const [what, plant] of Object.entries(inItsPlace))
  test(`${what} in the place of a box: it starts or says why not, and its removal removes nothing else`, () =>
    withWorld(async ({ home, outside, make }) => {
      const box = await make()
      const dir = join(home, 'boxes', box.id)
      plant(dir, outside)
      const code = await codeOf(box.start())
      const { state } = await box.info()
      assert.is(state === 'running', code === undefined, `${code} and ${state}`)
      await codeOf(firstOf(box))
      await box.remove({ force: true })
      assert.ok(gone(dir), 'what was in its place is gone as well')
    }))

test('run directories that are links are pruned, and not followed', () =>
  withWorld(async ({ home, outside, make }) => {
    const box = await make()
    const dir = join(home, 'boxes', box.id)
    const run = async () => {
      await box.start()
      await box.stop({ mode: 'kill' })
    }
    for (let n = 0; n < 3; n++) await run()
    rmSync(join(dir, '1'), { recursive: true })
    symlinkSync(outside, join(dir, '1'))
    rmSync(join(dir, '2'), { recursive: true })
    symlinkSync(join(outside, 'file'), join(dir, '2'))
    for (let n = 0; n < 5; n++) await run()
    assert.equal(readdirSync(dir).sort(), ['4', '5', '6', '7', '8'])
    await box.remove()
  }))

/** Puts something in the place of a file of a VMM that runs. */
const inPlaceOf: Readonly<Record<string, (path: string, outside: string) => void>> = {
  'a link to a file': (path, outside) => symlinkSync(join(outside, 'file'), path),
  'a link to a device that never ends': path => symlinkSync('/dev/zero', path),
  'a pipe that nobody writes to': path => void execFileSync('mkfifo', [path]),
  'a directory': path => mkdirSync(path),
  nothing: () => {},
}

for (const [what, plant] of Object.entries(inPlaceOf))
  test(`${what} in the place of files of a VMM that runs: nothing waits for it, or follows it`, () =>
    withWorld(async ({ home, outside, runtime, make }) => {
      for (const name of ['events', 'serial.log', 'vmm.log', 'out', 'err']) {
        const box = await make()
        await box.start()
        const path = join(home, 'boxes', box.id, '1', name)
        renameSync(path, `${path}.away`)
        plant(path, outside)
        await box.pause()
        await box.resume()
        const code = await codeOf(firstOf(box))
        assert.is(code, name === 'serial.log' && what !== 'nothing' ? 'ENGINE_FAILED' : undefined, name)
        await box.stop({ mode: 'force' })
        assert.is((await box.info()).state, 'stopped', name)
        await box.remove()
        assert.not(existsSync(join(home, 'boxes', box.id)))
      }
      assert.is((await runtime.listInfo()).length, 1)
    }))

test('an owner that comes to a VMM whose files are links asks the VMM itself', () =>
  withTempDir(async dir => {
    const [home, outside] = [join(dir, 'home'), join(dir, 'outside')]
    writeFileSync(outside, 'precious')
    const open = () => BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const first = await open()
    const { id } = await first.create({ image: smallGuest('tick'), memoryMib: 64, stopTimeoutMs: 0 })
    await (await first.get(id))?.start()
    await first.close()
    const run = join(home, 'boxes', id, '1')
    for (const name of ['events', 'serial.log', 'vmm.log']) {
      rmSync(join(run, name))
      symlinkSync(outside, join(run, name))
    }
    await askVmm(run, 'vm.pause')
    await using second = await open()
    const box = await second.get(id)
    assert.ok(box)
    await box.waitFor(({ state, recovering }) => state === 'paused' && !recovering, { timeoutMs: 20_000 })
    await box.resume()
    await box.remove({ force: true })
    assert.is(readFileSync(outside, 'utf8'), 'precious')
  }))

test('a secret that is a link is not written through', () =>
  withTempDir(async dir => {
    const outside = join(dir, 'outside')
    writeFileSync(outside, 'precious')
    const home = join(dir, 'home')
    mkdirSync(join(home, 'secrets'), { recursive: true, mode: 0o700 })
    for (const name of ['abcdefghijkl', 'abcdefghijkl.draft']) {
      const path = join(home, 'secrets', name)
      await using runtime = await BoxRuntime.open({
        home,
        ids: () => 'abcdefghijkl',
        vmm: { binary: instantVmm },
      })
      symlinkSync(outside, path)
      const code = await codeOf(runtime.create({ secrets: { token: 'x' }, env: { A: { secret: 'token' } } }))
      if (code === undefined) await runtime.remove('abcdefghijkl')
      assert.is(readFileSync(outside, 'utf8'), 'precious')
      if (code === undefined) break
      rmSync(path, { force: true })
    }
  }))

test.run()
