// @timeout 120
import { join } from 'node:path'
import { type Box, BoxRuntime, type LedgerRecord } from 'boxledger'
import { VirtualClock } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { vmmHands } from '../../src/vmm/vmm-driver.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('engine: health checks')

const image = smallGuest('idle')
const minute = 60_000

interface World {
  readonly clock: VirtualClock
  readonly runtime: BoxRuntime
  /** how the VMM answers from now on */
  answer: 'well' | 'refuses' | 'silent'
  /** questions that were asked */
  asked: number
  reopen(): Promise<BoxRuntime>
  /** lets time pass, and waits for so many questions in all */
  pass(ms: number, asked: number): Promise<void>
}

/** A home whose time passes only when told, and whose VMMs answer as they are told. */
const inWorld = (body: (world: World) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    const clock = new VirtualClock(Date.now())
    const looks = {
      ...vmmHands.looks,
      ping: async () => {
        world.asked += 1
        if (world.answer === 'refuses') throw new Error('it says no')
        if (world.answer === 'silent') await new Promise(() => {})
      },
    }
    const open = () =>
      BoxRuntime.open({
        home: join(dir, 'home'),
        vmm: { binary: instantVmm },
        clock,
        seams: { hands: { ...vmmHands, looks } },
      })
    let runtime = await open()
    const world: World = {
      clock,
      get runtime() {
        return runtime
      },
      answer: 'well',
      asked: 0,
      async reopen() {
        await runtime.close()
        runtime = await open()
        return runtime
      },
      async pass(ms, asked) {
        await clock.advance(ms)
        await eventually(() => world.asked === asked, { what: `${asked} questions` })
      },
    }
    try {
      await body(world)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await runtime.close()
    }
  })

const changesOf = async (box: Box): Promise<LedgerRecord['event'][]> => {
  const events: LedgerRecord['event'][] = []
  for await (const { event } of box.events({ types: ['health.changed'] })) events.push(event)
  return events
}
const until = (box: Box, health: string) => box.waitFor(info => info.health === health)
const changed = (health: string, reason?: string) => ({
  incarnation: 1,
  type: 'health.changed',
  health,
  ...(reason === undefined ? {} : { reason }),
})

test('only changes are recorded; so many failures in a row are one; nothing is done about it', () =>
  inWorld(async world => {
    const box = await world.runtime.create({
      image,
      health: { command: 'ping' },
      restart: { policy: 'always' },
    })
    assert.is((await box.info()).health, undefined, 'of one that is down nothing is known')
    await box.start()
    await until(box, 'healthy')
    await world.pass(30_000, 2)
    await world.pass(30_000, 3)
    assert.equal(await changesOf(box), [changed('healthy')])
    world.answer = 'refuses'
    await world.pass(30_000, 4)
    await world.pass(30_000, 5)
    assert.is((await box.info()).health, 'healthy', 'two failures are not three')
    world.answer = 'well'
    await world.pass(30_000, 6)
    world.answer = 'refuses'
    for (const asked of [7, 8, 9, 10]) await world.pass(30_000, asked)
    await until(box, 'unhealthy')
    world.answer = 'well'
    await world.pass(30_000, 11)
    const { state, incarnation, restarts } = await until(box, 'healthy')
    assert.equal({ state, incarnation, restarts }, { state: 'running', incarnation: 1, restarts: 0 })
    assert.equal(await changesOf(box), [
      changed('healthy'),
      changed('unhealthy', 'it says no'),
      changed('healthy'),
    ])
  }))

test('a question that is not answered has failed; there is never a second one at the same time', () =>
  inWorld(async world => {
    world.answer = 'silent'
    const health = { command: 'ping', intervalMs: 1_000, timeoutMs: 5_000, retries: 1 } as const
    const box = await world.runtime.create({ image, health })
    await box.start()
    await world.pass(4_999, 1)
    assert.is((await box.info()).health, 'starting')
    await world.clock.advance(1)
    await until(box, 'unhealthy')
    assert.equal(await changesOf(box), [changed('unhealthy', 'no answer within 5000 ms')])
    await world.pass(1_000, 2)
  }))

test('while a guest may be on its way failures do not count, and success does', () =>
  inWorld(async world => {
    world.answer = 'refuses'
    const health = { command: 'ping', intervalMs: 10_000, retries: 2, startPeriodMs: minute } as const
    const box = await world.runtime.create({ image, health })
    const other = await world.runtime.create({ image, health })
    await box.start()
    for (const asked of [2, 3, 4, 5, 6]) await world.pass(10_000, asked)
    world.clock.setBy(-minute)
    await world.pass(10_000, 7)
    assert.is((await box.info()).health, 'starting', 'one failure counts')
    await world.pass(10_000, 8)
    await until(box, 'unhealthy')
    await box.stop({ mode: 'kill' })
    world.answer = 'well'
    await other.start()
    await until(other, 'healthy')
  }))

test('it is asked while it runs: not paused, not down; what begins anew is not known', () =>
  inWorld(async world => {
    const box = await world.runtime.create({ image, health: { command: 'ping', retries: 1 } })
    await box.start()
    await until(box, 'healthy')
    await box.pause()
    await world.pass(5 * minute, 1)
    assert.is((await box.info()).health, 'healthy', 'as it was last')
    await box.resume()
    await world.pass(29_999, 1)
    await world.pass(1, 2)
    await box.stop({ mode: 'kill' })
    await world.pass(5 * minute, 2)
    assert.is((await box.info()).health, undefined)
    world.answer = 'silent'
    await box.start()
    assert.is((await box.info()).health, 'starting')
    assert.is((await box.info()).incarnation, 2)
  }))

test('the next engine goes on asking, and finds nothing new where nothing is', () =>
  inWorld(async world => {
    const { id } = await world.runtime.create({ image, health: { command: 'ping', retries: 1 } })
    await (await world.runtime.get(id))?.start()
    const before = (await world.runtime.get(id)) as Box
    await until(before, 'healthy')
    const runtime = await world.reopen()
    const box = (await runtime.get(id)) as Box
    await box.waitFor(info => !info.recovering)
    assert.is((await box.info()).health, 'healthy')
    assert.is(world.asked, 1)
    await world.pass(30_000, 2)
    assert.equal(await changesOf(box), [changed('healthy')])
    world.answer = 'refuses'
    await world.pass(30_000, 3)
    await until(box, 'unhealthy')
  }))

test('the clock of an engine that is closed holds nothing', () =>
  inWorld(async world => {
    const box = await world.runtime.create({ image, health: { command: 'ping' } })
    await box.start()
    await until(box, 'healthy')
    await world.runtime.close()
    await world.pass(5 * minute, 1)
    await world.reopen()
  }))

test.run()
