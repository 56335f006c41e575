// @timeout 200
// @timeout-long 900
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Box, type BoxOptions, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { askVmm } from '../support/ask-vmm.ts'
import { eventually } from '../support/eventually.ts'
import { sized } from '../support/long.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { fakeBuiltin } from '../vmm/life/images.ts'
import { busy, liar, liarOf, processesOf } from './lying.ts'

const test = suite('api: floods')
const mib = 1 << 20

/** How long it floods, in `ms`. */
const floodMs = sized(1_200, 10_000)

const onDisk = (dir: string): number =>
  readdirSync(dir).reduce(
    (sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512,
    0,
  )

interface Most {
  readonly disk: number
  readonly memory: number
}

/** Looks all the time how much room a directory and this process take; gives the most, in `bytes`. */
const gauge = (dir: string): { stop(): Most } => {
  let disk = 0
  let memory = 0
  const before = process.memoryUsage.rss()
  const timer = setInterval(() => {
    disk = Math.max(disk, onDisk(dir))
    memory = Math.max(memory, process.memoryUsage.rss() - before)
  }, 20)
  return {
    stop: () => {
      clearInterval(timer)
      return { disk, memory }
    },
  }
}

interface World {
  readonly runtime: BoxRuntime
  readonly home: string
}

const withOwner = (body: (world: World) => Promise<void>): Promise<void> =>
  withTempDir(async home => {
    fakeBuiltin(home)
    {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: liar } })
      const honest = await liarOf(runtime, home, [])
      await honest.start()
      const other = busy(honest)
      await body({ runtime, home })
      const longest = await other.stop()
      assert.ok(longest < 8_000, `another box was kept waiting for ${longest} ms`)
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      const { ok, problems } = await runtime.verify({ replay: true })
      assert.ok(ok, JSON.stringify(problems))
    }
    await eventually(() => processesOf(home).length === 0, { what: 'the end of all VMMs' })
  })

const dirOf = (home: string, box: Box): string => join(home, 'boxes', box.id, '1')

const assertBounded = ({ disk, memory }: Most, what: string): void => {
  process.stdout.write(
    `\n${what}: at most ${disk >> 20} MiB on the disk, ${memory >> 20} MiB more of memory\n`,
  )
  assert.ok(disk > 4 * mib, `${what}: it is no flood`)
  // 16 MiB, what comes until it is looked at, and what is kept; one of the files more than another.
  assert.ok(disk < 128 * mib, `${what}: ${disk >> 20} MiB on the disk`)
  assert.ok(memory < 300 * mib, `${what}: ${memory >> 20} MiB more of memory`)
}

const floods: readonly (readonly [what: string, faults: readonly string[], options: BoxOptions])[] = [
  ['serial output that nobody reads', ['flood-serial,mibps=40'], {}],
  ['serial output that is searched', ['flood-serial,mibps=40'], { ready: { console: 'never' } }],
  [
    'serial output that a pattern takes for ever on',
    [`flood-serial,mibps=40,body=${'x'.repeat(60)}`],
    { ready: { console: '^(x+)+y$' } },
  ],
  ['output of the command', ['flood-console,mibps=40'], { command: ['run'], image: 'builtin' }],
  ['log of the VMM', ['flood-log,mibps=40'], {}],
  ['standard output and error', ['flood-output,mibps=40'], {}],
  ['events that mean nothing', ['flood-events,mibps=40,events=vm/nothing'], {}],
  ['events that mean something', ['flood-events,mibps=40,events=vm/paused+vm/resumed+vm/resized'], {}],
  ['everything', ['flood-serial', 'flood-log', 'flood-output', 'flood-events,events=vm/nothing'], {}],
]

for (const [what, faults, options] of floods)
  test(`${what}: disk and memory are bounded, and others are served`, () =>
    withOwner(async ({ runtime, home }) => {
      const box = await liarOf(runtime, home, faults, options)
      const starting = box.start().catch(() => {}) // that of a box that is never ready ends with its removal
      await box.waitFor(({ stage, state }) => state === 'running' || stage === 'waiting')
      const most = gauge(dirOf(home, box))
      const before = (await box.info()).version
      await sleep(floodMs)
      assertBounded(most.stop(), what)
      const records = (await box.info()).version - before
      assert.ok(records < 25 + (6 * floodMs) / 1_000, `${records} records`)
      await box.stop({ mode: 'force' })
      assert.is((await box.info()).state, 'stopped')
      await starting
    }))

test('reboots without end are a loop, and cut off', () =>
  withOwner(async ({ runtime, home }) => {
    const box = await liarOf(runtime, home, ['flood-events'])
    await box.start()
    const info = await box.wait()
    assert.equal([info.state, info.ending?.cause], ['crashed', 'reboot-loop'])
    assert.ok(info.version < 60, `${info.version} records`)
  }))

test('what is asked of a box in a flood is done, and shown', () =>
  withOwner(async ({ runtime, home }) => {
    const box = await liarOf(runtime, home, ['flood-events,events=vm/nothing'])
    await box.start()
    for (let n = 0; n < sized(8, 60); n++) {
      await box.pause()
      await sleep(110 * (n % 10))
      assert.is((await box.info()).state, 'paused')
      await box.resume()
      assert.is((await box.info()).state, 'running')
    }
    const types: string[] = []
    for await (const { event } of box.events()) types.push(event.type)
    assert.is(types.filter(type => type === 'vm.paused').length, sized(8, 60))
    assert.is(types.filter(type => type === 'vm.resumed').length, sized(8, 60))
  }))

test('consoles of a guest that prints for ever: one that reads, one that never does; neither takes memory', () =>
  withOwner(async ({ runtime, home }) => {
    const box = await liarOf(runtime, home, ['flood-serial,mibps=30,body=all work and no play'])
    await box.start()
    const idle = box.console({ follow: true })
    await idle.next()
    const most = gauge(dirOf(home, box))
    let bytes = 0
    const reading = (async () => {
      for await (const piece of box.console({ follow: true })) bytes += piece.length
    })()
    await sleep(floodMs)
    await box.stop({ mode: 'kill' })
    await reading
    assertBounded(most.stop(), 'consoles')
    assert.ok(bytes > 4 * mib, `${bytes} bytes were read`)
    await idle.return()
  }))

test('an owner that comes into a flood of events goes on behind it, with nothing twice', () =>
  withTempDir(async home => {
    const open = () => BoxRuntime.open({ home, vmm: { binary: liar } })
    const first = await open()
    const box = await liarOf(first, home, ['flood-events,mibps=40,ms=2500,events=vm/nothing'])
    await box.start()
    const dir = dirOf(home, box)
    await eventually(() => readdirSync(dir).some(name => name.startsWith('events.cut-')), {
      what: 'a cut',
      timeoutMs: 20_000,
    })
    await first.close()
    await askVmm(dir, 'vm.pause')
    {
      await using second = await open()
      const again = await second.get(box.id)
      await again?.waitFor(({ state, recovering }) => state === 'paused' && !recovering, {
        timeoutMs: 20_000,
      })
      const most = gauge(dir)
      await sleep(2_500)
      assert.ok(most.stop().disk < 128 * mib)
      await again?.resume()
    }
    await askVmm(dir, 'vm.pause')
    await using third = await open()
    const last = await third.get(box.id)
    await last?.waitFor(({ state, recovering }) => state === 'paused' && !recovering, { timeoutMs: 20_000 })
    const types: string[] = []
    for await (const { event } of third.history(box.id)) types.push(event.type)
    assert.equal(
      types.filter(type => type === 'vm.paused' || type === 'vm.resumed'),
      ['vm.paused', 'vm.resumed', 'vm.paused'],
    )
    await last?.remove({ force: true })
    assert.ok((await third.verify({ replay: true })).ok)
  }))

test.run()
