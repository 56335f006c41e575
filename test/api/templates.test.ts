// @timeout 120
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, type BoxOptions, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { newBox } from '../../src/api/new-box.ts'
import { checkTemplate, chooseTemplate } from '../../src/vmm/templates/fit.ts'
import { startOf } from '../../src/vmm/templates/start-of.ts'
import { templateImageOf } from '../../src/vmm/templates/suitable.ts'
import { plantImage } from '../examples/stand-in-image.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { embedded, type Way, ways } from './ways.ts'

const test = suite('api: templates')

/** What takes a second of real guests takes none of those that are not there. */
const clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms === 1_200 ? 1 : ms).unref(),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
}

interface Place {
  readonly home: string
  readonly runtime: BoxRuntime
}

const within = (body: (place: Place) => Promise<void>, way: Way = embedded): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(home, { mode: 0o700 })
    await plantImage(home)
    await using opened = await way.open({ home, vmm: { binary: instantVmm }, clock })
    const { runtime } = opened
    try {
      await body({ home, runtime })
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

const small = { memoryMib: 64, stopTimeoutMs: 100 } satisfies BoxOptions
const size = { memoryMib: 64 }

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (BoxError.is(error) ? error.code : error),
  )

const dirOf = (home: string, image = 'builtin') => join(home, 'images', '.templates', image, '1x64')
const leftIn = (home: string) =>
  readdirSync(join(home, 'images', '.templates')).filter(name => name.startsWith('.'))

async function eventsOf(box: Box): Promise<LedgerRecord['event'][]> {
  const events: LedgerRecord['event'][] = []
  for await (const { event } of box.events()) events.push(event)
  return events
}

/** How the last start of a box began: what is told when its VMM is about to be made. */
async function beginningOf(box: Box) {
  const stages = (await eventsOf(box)).flatMap(event =>
    event.type === 'start.stage' && event.stage === 'spawning' ? [event] : [],
  )
  const { template, passedOver } = stages.at(-1) ?? {}
  return { image: template?.image, passedOver: passedOver?.code }
}

async function started(runtime: BoxRuntime, options: BoxOptions = {}): Promise<Box> {
  const box = await runtime.create({ ...small, ...options })
  await box.start()
  assert.is((await box.info()).state, 'running')
  return box
}

const warm = { image: 'builtin', passedOver: undefined }
const cold = { image: undefined, passedOver: undefined }

for (const way of ways) {
  test(`${way.name}: boxes of an image that has a template begin with it`, () =>
    within(async ({ home, runtime }) => {
      assert.equal(await beginningOf(await started(runtime)), cold)
      const made = await runtime.images.template('builtin', size)
      assert.equal([made.cpus, made.memoryMib, made.fits, made.vmm], [1, 64, true, '53.0.0'])
      assert.ok((made.bytes ?? 0) > 64 << 20)
      const [image] = await runtime.images.list()
      assert.equal(image?.templates, [made])
      assert.is((await runtime.listInfo()).length, 1, 'the box that it was made of is gone')

      const box = await started(runtime, { name: 'it' })
      assert.equal(await beginningOf(box), warm)
      const types = (await eventsOf(box)).map(({ type }) => type)
      assert.ok(types.includes('snapshot.restored') && !types.includes('vm.booted'), String(types))
      const info = await box.info()
      assert.equal([info.guestReady, info.incarnation, info.restarts], [true, 1, 0])
      await box.restart()
      assert.equal(await beginningOf(box), warm, 'each start does')
      assert.equal(await runtime.images.template('builtin', size), made, 'and it is made once')
      assert.equal(readdirSync(dirOf(home)).sort(), ['memory-ranges', 'state.json', 'template.json'])

      await runtime.images.removeTemplates('builtin')
      await runtime.images.removeTemplates('builtin')
      assert.is(await codeOf(runtime.images.removeTemplates('../a')), 'INVALID_ARGUMENT')
      assert.equal(readdirSync(join(home, 'images', '.templates')), [])
      await box.restart()
      assert.equal(await beginningOf(box), cold)
    }, way))

  test(`${way.name}: what there can be no template of is refused, and leaves nothing`, () =>
    within(async ({ home, runtime }) => {
      const template = (name: unknown, o?: unknown) =>
        codeOf(runtime.images.template(name as never, o as never))
      for (const name of ['', '../a', 'a/b', 1, null, undefined])
        assert.is(await template(name), 'INVALID_ARGUMENT', String(name))
      for (const o of [{ cpus: 0 }, { memoryMib: 1 }, { memoryMib: '64' }, { more: 1 }, 7])
        assert.is(await template('builtin', o), 'INVALID_ARGUMENT', JSON.stringify(o))
      assert.is(await template('none'), 'NOT_FOUND')
      const files = smallGuest('idle')
      await runtime.images.add('silent', files)
      assert.is(await template('silent'), 'UNSUPPORTED')
      assert.not.ok(existsSync(join(home, 'images', '.templates')))
      assert.equal(await runtime.listInfo(), [])
    }, way))

  test(`${way.name}: templates of a named image go with it`, () =>
    within(async ({ home, runtime }) => {
      const disk = join(home, 'disk')
      writeFileSync(disk, 'a disk')
      const { kernel } = smallGuest('idle')
      const disks = [{ path: disk, readonly: true }]
      const spec = { kernel, cmdline: 'boxledger.init', agent: true, disks }
      await runtime.images.add('mine', spec)
      await runtime.images.template('mine', size)
      const box = await started(runtime, { image: 'mine' })
      assert.equal(await beginningOf(box), { ...warm, image: 'mine' })
      assert.is(await codeOf(runtime.images.remove('mine')), 'INVALID_STATE')
      await box.remove({ force: true })
      await runtime.images.remove('mine')
      assert.equal(readdirSync(join(home, 'images', '.templates')), [])
      await runtime.images.add('mine', spec)
      assert.equal(await beginningOf(await started(runtime, { image: 'mine' })), cold)
    }, way))
}

test('who asks at the same time gets the same one', () =>
  within(async ({ runtime }) => {
    const [one, other] = await Promise.all([
      runtime.images.template('builtin', size),
      runtime.images.template('builtin', size),
    ])
    assert.equal(one, other)
    const gone = AbortSignal.abort()
    assert.is(await codeOf(runtime.images.template('builtin', { ...size, signal: gone })), 'ABORTED')
    let created = 0
    for await (const { event } of runtime.events()) if (event.type === 'box.created') created += 1
    assert.is(created, 1)
  }))

test('a box that asks for what no guest is told anew boots', () =>
  within(async ({ runtime }) => {
    await runtime.images.template('builtin', size)
    const otherwise: Readonly<Record<string, BoxOptions>> = {
      'a main command': { command: ['true'] },
      'a disk': { disks: [{ path: '/disk', format: 'raw', readonly: true }] },
      'ready as soon as it has booted': { ready: 'vmm' },
      'ready by its console': { ready: { console: 'up' } },
      'files of its own': { image: { ...smallGuest('idle'), agent: true } },
    }
    for (const [name, options] of Object.entries(otherwise))
      assert.is(templateImageOf(newBox({ ...small, ...options }).spec), undefined, name)
    assert.is(templateImageOf({ ...newBox(small).spec, unheardOf: 1 } as never), undefined)
    assert.equal(await beginningOf(await started(runtime, { command: ['true'] })), cold)
    const harmless: BoxOptions = {
      ...{ env: { A: 'b' }, workdir: '/tmp', user: 'nobody', detach: false, labels: { a: 'b' } },
      ...{ restart: { policy: 'always' }, health: { command: 'ping' }, ready: 'guest' },
    }
    assert.equal(await beginningOf(await started(runtime, harmless)), warm)
  }))

const edit = (path: string, change: (manifest: Record<string, unknown>) => object) =>
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))))

const alterInPlace = (path: string, at: number) => {
  const file = openSync(path, 'r+')
  writeSync(file, 'x', at)
  closeSync(file)
}

interface Spoilt {
  readonly spoil: (home: string) => void
  readonly code: string
  /** it cannot be seen without reading all of it */
  readonly isDeep?: true
}

const spoilt: Readonly<Record<string, Spoilt>> = {
  'memory cut to half': {
    spoil: home => truncateSync(join(dirOf(home), 'memory-ranges'), 32 << 20),
    code: 'SNAPSHOT_CORRUPT',
    isDeep: true,
  },
  'memory altered': {
    spoil: home => {
      const path = join(dirOf(home), 'memory-ranges')
      const bytes = readFileSync(path)
      bytes.writeUInt8((bytes.readUInt8(1000) + 1) % 256, 1000)
      writeFileSync(path, bytes)
    },
    code: 'SNAPSHOT_CORRUPT',
    isDeep: true,
  },
  'memory altered where it was empty': {
    spoil: home => alterInPlace(join(dirOf(home), 'memory-ranges'), 40 << 20),
    code: 'SNAPSHOT_CORRUPT',
    isDeep: true,
  },
  'a manifest that is no JSON': {
    spoil: home => writeFileSync(join(dirOf(home), 'template.json'), 'so what'),
    code: 'SNAPSHOT_CORRUPT',
  },
  'a manifest that is none': {
    spoil: home => writeFileSync(join(dirOf(home), 'template.json'), '{"format":1}'),
    code: 'SNAPSHOT_CORRUPT',
  },
  "another image's": {
    spoil: home => edit(join(dirOf(home), 'template.json'), manifest => ({ ...manifest, image: 'other' })),
    code: 'SNAPSHOT_CORRUPT',
  },
  'a newer format': {
    spoil: home => edit(join(dirOf(home), 'template.json'), manifest => ({ ...manifest, format: 3 })),
    code: 'FORMAT_UNSUPPORTED',
  },
  'another VMM': {
    spoil: home => edit(join(dirOf(home), 'template.json'), manifest => ({ ...manifest, program: 'v7' })),
    code: 'UNSUPPORTED',
  },
  'other processors': {
    spoil: home => edit(join(dirOf(home), 'template.json'), manifest => ({ ...manifest, processor: 'Z80' })),
    code: 'UNSUPPORTED',
  },
  'another kernel of the same length': {
    spoil: home => {
      const images = join(home, 'images')
      const [builtin = ''] = readdirSync(images).filter(name => name.startsWith('builtin-'))
      const kernel = join(images, builtin, 'vmlinux')
      const bytes = readFileSync(kernel)
      bytes.writeUInt8((bytes.readUInt8(bytes.length - 1) + 1) % 256, bytes.length - 1)
      writeFileSync(kernel, bytes)
    },
    code: 'UNSUPPORTED',
  },
}

/** What a box of this size would be started with, and on. */
const choose = async (home: string, memoryMib = 64) => {
  const signal = AbortSignal.timeout(30_000)
  const vmm = { binary: instantVmm, env: {} }
  const size = { cpus: 1, memoryMib }
  const start = await startOf({ home, image: 'builtin', size, vmm, signal })
  const { template, passedOver } = await chooseTemplate(start, signal)
  const checked = template && (await codeOf(checkTemplate(home, template, size, signal)))
  if (template && checked !== 'done') return { image: undefined, passedOver: checked }
  return { image: template?.image, passedOver: passedOver?.code }
}

test('one that does not fit, or is damaged, is not used; that is recorded, and it can be made anew', () =>
  within(async ({ home, runtime }) => {
    const { madeAt } = await runtime.images.template('builtin', size)
    const images = join(home, 'images')
    cpSync(images, join(home, 'sound'), { recursive: true })
    for (const [name, { spoil, code, isDeep }] of Object.entries(spoilt)) {
      spoil(home)
      assert.equal(await choose(home), { image: undefined, passedOver: code }, name)
      const [listed] = (await runtime.images.list())[0]?.templates ?? []
      if (!isDeep) assert.ok(listed?.fits === false && listed.reason !== '', name)
      // Memory is large, and only copied where it was spoilt.
      const filter = (path: string) => isDeep === true || !path.endsWith('memory-ranges')
      cpSync(join(home, 'sound'), images, { recursive: true, filter })
      assert.equal(await choose(home), warm, 'files that were only touched are still the same')
    }
    assert.equal(await choose(home, 65), cold, 'it is for one size')
    spoilt['memory altered']?.spoil(home)
    const box = await started(runtime)
    const failures = (await eventsOf(box)).flatMap(event =>
      event.type === 'start.failed' ? [event.code] : [],
    )
    assert.equal(failures, ['SNAPSHOT_CORRUPT'], 'nothing was made of it')
    const { incarnation, guestReady, restarts } = await box.info()
    assert.equal([incarnation, guestReady, restarts], [2, true, 0])
    assert.equal(await beginningOf(box), cold)
    const again = await runtime.images.template('builtin', size)
    assert.ok(again.fits && again.madeAt !== madeAt)
    assert.equal(leftIn(home), [])
    await box.restart()
    assert.equal(await beginningOf(box), warm)
  }))

test('where a template does not do, the start goes on with a boot by itself', () =>
  within(async ({ home, runtime }) => {
    await runtime.images.template('builtin', size)
    // It fits as far as can be seen, and the VMM will not have it.
    edit(join(dirOf(home), 'template.json'), manifest => ({
      ...manifest,
      vmm: { version: '53.0.0', features: ['what none has'] },
    }))
    const box = await started(runtime)
    const info = await box.info()
    assert.equal([info.incarnation, info.guestReady, info.restarts], [2, true, 0])
    const events = await eventsOf(box)
    const failed = events.find(event => event.type === 'start.failed')
    assert.is(failed?.type === 'start.failed' && failed.code, 'UNSUPPORTED')
    assert.equal(await beginningOf(box), cold)
    assert.equal((await box.info()).ending, undefined)
  }))

test('what is kept is private, and nothing is left of one that could not be made', () =>
  within(async ({ home, runtime }) => {
    const images = join(home, 'images')
    // Not where a file is in the way.
    writeFileSync(join(images, '.templates'), 'in the way')
    assert.is(await codeOf(runtime.images.template('builtin', size)), 'ENGINE_FAILED')
    assert.equal(await runtime.listInfo(), [])
    rmSync(join(images, '.templates'))
    await runtime.images.template('builtin', size)
    for (const name of ['', 'builtin', 'builtin/1x64'])
      assert.is(statSync(join(images, '.templates', name)).mode & 0o777, 0o700, name)
    for (const name of readdirSync(dirOf(home)))
      assert.is(statSync(join(dirOf(home), name)).mode & 0o777, 0o600, name)
    // One that cannot be read is one that is damaged.
    if (process.getuid?.() !== 0) chmodSync(join(dirOf(home), 'state.json'), 0)
    assert.ok(await started(runtime))
  }))

test('a VMM that cannot save says why, and its box goes', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(home, { mode: 0o700 })
    await plantImage(home)
    const fault = 'answer:vm.snapshot,status=500,body=["no","GetNestedState"]'
    const binary = [...instantVmm, '--fault', fault]
    await using runtime = await BoxRuntime.open({ home, vmm: { binary }, clock })
    assert.is(await codeOf(runtime.images.template('builtin', size)), 'UNSUPPORTED')
    assert.equal(await runtime.listInfo(), [])
    assert.not.ok(existsSync(dirOf(home)))
  }))

test('an owner that closes ends what it was making', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(home, { mode: 0o700 })
    await plantImage(home)
    const binary = [...instantVmm, '--fault', 'slow:vm.snapshot,ms=60000']
    const runtime = await BoxRuntime.open({ home, vmm: { binary }, clock })
    const making = codeOf(runtime.images.template('builtin', size))
    const maker = await new Promise<Box>(resolve => {
      const seen = runtime.changes$.subscribe(async ({ id, state }) => {
        if (state !== 'running') return
        seen.unsubscribe()
        resolve((await runtime.get(id)) as Box)
      })
    })
    assert.equal((await maker.info()).labels, { 'boxledger.template': 'builtin' })
    await runtime.close()
    assert.is(await making, 'ENGINE_CLOSED')
    await using next = await BoxRuntime.open({ home, vmm: { binary: instantVmm }, clock })
    assert.equal(await next.listInfo(), [])
    assert.not.ok(existsSync(dirOf(home)))
    assert.equal(await beginningOf(await started(next)), cold)
    for (const { id } of await next.listInfo()) await next.remove(id, { force: true })
  }))

test.run()
