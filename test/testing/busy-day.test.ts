// @timeout 300
import { queryObjects } from 'node:v8'
import { Simulation, simulate } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { Actor } from 'xstate'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { assertLevel } from './levelling.ts'

const test = suite('testing: 24 hours of a host')

/** What is alive in this process after a collection of garbage. */
const living = (type: typeof Actor | typeof AbortSignal | typeof Promise) =>
  queryObjects(type, { format: 'count' })

async function sampleOf({ runtime, host, clock, tail }: Simulation) {
  return {
    boxes: (await runtime.listInfo()).length,
    vmms: host.alive.length,
    /** boxes that have files, or a VMM */
    directories: host.boxes.length,
    timers: clock.pending,
    actors: living(Actor),
    signals: living(AbortSignal),
    promises: living(Promise),
    records: tail.position,
  }
}

async function sizesOf({ runtime }: Simulation): Promise<number[]> {
  const sizes: number[] = []
  for await (const record of runtime.events({ from: 1 })) sizes.push(JSON.stringify(record).length)
  return sizes
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('busy: memory, timers, actors and directories level off, and so does what the ledger takes in', async () => {
  const samples: Awaited<ReturnType<typeof sampleOf>>[] = []
  let sizes: number[] = []
  const boxes = sized(20, 100)
  const { violations, crashes, vmms } = await simulate({
    seed: takeSeed(),
    boxes,
    hours: 24,
    checks: 12,
    timeline: false,
    onCheck: async world => {
      samples.push(await sampleOf(world))
      sizes = await sizesOf(world)
    },
  })
  assert.equal(violations, [])
  assert.ok(crashes > 2 && vmms > boxes * 5, `${crashes} crashes, ${vmms} VMMs`)
  console.table(samples)
  assertLevel(samples, 'timers', 5)
  assertLevel(samples, 'directories', 5)
  assertLevel(samples, 'actors', 10)
  assertLevel(samples, 'signals', 20)
  assertLevel(samples, 'promises', 400)
  // The engine's own, and one for each VMM: of the many engines before it none is left. What a stack still refers to
  // outlives one collection, and is gone by the next check.
  const left = samples.map(({ actors, vmms }) => actors - vmms - 3)
  left.forEach((extra, n) => {
    assert.ok(extra <= 0 || (left[n + 1] ?? 0) <= 0, `${left.join(', ')} actors more than there are VMMs`)
  })
  for (const { directories, boxes } of samples) {
    assert.ok(directories <= boxes, `files of ${directories} boxes, of which there are ${boxes}`)
  }
  const perCheck = samples.map(({ records }, n) => ({ records: records - (samples[n - 1]?.records ?? 0) }))
  assertLevel(perCheck, 'records', 100)
  const middle = sizes.length / 2
  assert.ok(mean(sizes.slice(middle)) < mean(sizes.slice(0, middle)) * 1.1)
})

test('quiet: boxes that run for a day, and of which nobody wants anything, leave no record and no timer', async () => {
  await using world = await Simulation.open({ seed: takeSeed() })
  for (const detach of [true, false]) {
    const box = await world.runtime.create({ detach, restart: { policy: 'always' } })
    await world.until(box.start())
  }
  await world.advance(600_000)
  const { position } = world.tail
  const timers = world.clock.pending
  await world.advance(86_400_000)
  assert.equal([world.tail.position, world.clock.pending], [position, timers])
  assert.equal(world.violations, [])
})

test('what grows for as long as it is looked at is told from what does not', () => {
  const samples = Array.from({ length: 12 }, (_, n) => ({ grows: n * 10, varies: (n % 3) * 10, falls: -n }))
  assert.throws(() => assertLevel(samples, 'grows', 5), /grows grows: 0, 10, 20/)
  assertLevel(samples, 'varies', 5)
  assertLevel(samples, 'falls', 5)
  const peaking = samples.map((_, n) => ({ peaks: n === samples.length - 2 ? 100 : 1 }))
  assertLevel(peaking, 'peaks', 5)
})

test.run()
