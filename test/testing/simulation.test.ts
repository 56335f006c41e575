// @timeout 300
import { existsSync } from 'node:fs'
import { Simulation } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { codeOf, inWorld } from './in-world.ts'

const test = suite('testing: a world of its own')

test('a restart policy runs its course in no time', () =>
  inWorld({ script: () => ({ fates: [{ afterMs: 60_000, does: 'crash' }] }) }, async world => {
    const box = await world.runtime.create({ restart: { policy: 'on-failure', maxRetries: 3 } })
    await world.until(box.start())
    await world.advance(7_200_000)
    const { state, restarts } = await box.info()
    // Each run lasts longer than `resetAfterMs`, and so each one begins a new row of retries.
    assert.ok(restarts > 100, `${restarts} restarts`)
    assert.is(state, 'running')
    assert.is(world.endings.crash, restarts)
  }))

test('what is waited for and does not come is told after the limit', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({})
    const since = world.clock.monotonic()
    const waited = await world
      .until(
        box.waitFor(({ state }) => state === 'running'),
        5_000,
      )
      .catch((error: Error) => error.name)
    assert.is(waited, 'RangeError')
    assert.ok(world.clock.monotonic() - since <= 5_000)
    await world.until(box.start())
  }))

test('until gives what its promise gives, and throws what that throws', () =>
  inWorld({}, async world => {
    assert.is(await world.until(Promise.resolve(7)), 7)
    assert.is(await world.until(codeOf(world.runtime.remove('nobody'))), 'NOT_FOUND')
    assert.is(await codeOf(world.until(world.runtime.remove('nobody'))), 'NOT_FOUND')
  }))

test('one engine at a time, none while none is open, and a handle is that of its engine', () =>
  inWorld({}, async world => {
    assert.is(await codeOf(world.reopen()), 'ENGINE_LOCKED')
    const box = await world.runtime.create({ name: 'web' })
    world.crash()
    world.crash()
    assert.not(world.isUp)
    assert.throws(() => world.runtime, /No engine/)
    assert.is(await codeOf(world.settle()), 'ENGINE_CLOSED')
    await world.reopen()
    assert.ok(world.isUp)
    assert.is((await world.runtime.get('web'))?.id, box.id)
    assert.is(await codeOf(box.waitFor(({ state }) => state === 'running')), 'ENGINE_CLOSED')
  }))

test('what an engine has under way dies with it', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({})
    const started = box.start()
    const { life } = world
    let answered = false
    started.then(
      () => {
        answered = true
      },
      () => {},
    )
    await world.advance(1)
    world.crash()
    assert.ok(life.isOver)
    await world.advance(600_000)
    assert.equal([answered, world.disk.head(box.id)?.state.context.open], [false, true])
    await world.reopen()
    await world.advance(60_000)
    assert.is((await world.runtime.getInfo(box.id))?.state, 'running')
  }))

test('an engine can be killed at each of its boundaries, also while it recovers', async () => {
  let fuse = Number.POSITIVE_INFINITY
  const names = new Set<string>()
  await inWorld(
    {
      boundary: name => {
        names.add(name)
        fuse -= 1
        if (fuse === 0) world?.crash()
      },
    },
    async made => {
      world = made
      for (let n = 1; n <= 30; n += 1) {
        fuse = n
        const start = async () => (await made.runtime.create({})).start()
        void start().catch(() => {})
        await made.advance(5_000)
        fuse = n % 3 === 0 ? 2 : Number.POSITIVE_INFINITY
        if (!made.isUp) await made.reopen()
        fuse = Number.POSITIVE_INFINITY
        if (!made.isUp) await made.reopen()
      }
      await made.settle()
      await made.recoverTwice()
      await made.verify()
    },
  )
  assert.ok(
    names.has('before append start.requested') && names.has('after append vmm.spawned'),
    [...names].join(),
  )
})

/** the world of the test above, for its boundaries */
let world: Simulation | undefined

test('a close is in good order: what ends with its owner has ended', () =>
  inWorld({}, async world => {
    const kept = await world.runtime.create({ name: 'kept' })
    const attached = await world.runtime.create({ name: 'attached', detach: false })
    await world.until(Promise.all([kept.start(), attached.start()]))
    await world.until(world.close())
    assert.not(world.isUp)
    assert.equal(
      world.host.alive.map(({ start }) => start.name),
      ['kept'],
    )
    assert.is(world.disk.head(attached.id)?.state.context.ending?.cause, 'requested')
    await world.close()
    await world.reopen()
  }))

test('nothing of it is a file: what would make one is refused', () =>
  inWorld({}, async world => {
    const { runtime, clock } = world
    const secret = { name: 'web', env: { TOKEN: { secret: 't' } }, secrets: { t: 'x' } } as const
    const before = new Date(clock.now())
    for (const refused of [
      runtime.create(secret),
      runtime.getOrCreate(secret),
      runtime.archive({ before }),
      runtime.compact(),
    ])
      assert.is(await codeOf(refused), 'UNSUPPORTED')
    assert.equal((await runtime.getOrCreate({ name: 'web' })).created, true)
    assert.not(existsSync('/simulated'))
  }))

test('the timeline tells what happened, to one box or to all, and what the test says', () =>
  inWorld({}, async world => {
    const web = await world.runtime.create({ name: 'web' })
    const other = await world.runtime.create({})
    await world.advance(90_061_001)
    world.say('now it begins', web.id)
    await world.until(web.start())
    world.rebootHost()
    await world.reopen()
    await world.advance(60_000)
    const lines = world.lines(web.id)
    assert.is(lines[1], '0d 00:00:00.000  web  box.created: nothing → configured')
    assert.is(lines[2], '1d 01:01:01.001  web  now it begins')
    assert.is(lines[3], '1d 01:01:01.001  web  start.requested: configured → starting')
    assert.ok(lines.some(line => line.endsWith('-  the host reboots')))
    assert.match(lines.at(-1) ?? '', /web {2}host.rebooted: running → stopped$/)
    assert.not(lines.some(line => line.includes(other.id)))
    assert.ok(world.lines().some(line => line.includes(`${other.id}  box.created`)))
    const last = world.timeline(web.id).at(-1)
    assert.equal([last?.box, last?.name, last?.what], [web.id, 'web', 'host.rebooted: running → stopped'])
  }))

test('no timeline is kept where none is wanted', () =>
  inWorld({ timeline: false }, async world => {
    await world.runtime.create({})
    assert.equal(world.lines(), [])
  }))

test('so many starts at once as it is told', () =>
  inWorld({ startConcurrency: 2 }, async world => {
    const boxes = await Promise.all([1, 2, 3, 4, 5].map(() => world.runtime.create({})))
    const starts = Promise.all(boxes.map(box => box.start()))
    await world.advance(2)
    const stages = (await world.runtime.listInfo()).map(({ stage }) => stage === 'queued')
    assert.is(stages.filter(Boolean).length, 3)
    await world.until(starts)
  }))

test('box-hours are counted from the creation of a box to its removal', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({})
    await world.runtime.create({})
    await world.advance(3_600_000)
    await world.until(box.remove())
    await world.advance(3_600_000)
    assert.is(Math.round(world.boxHours * 100) / 100, 3)
  }))

test('a rule of your own is held against every record, with its box as it is after it', async () => {
  const seen: string[] = []
  await using world = await Simulation.open({
    seed: 1,
    rule: ({ event }, { state }) => {
      seen.push(`${event.type} ${state.context.incarnation}`)
      return event.type === 'guest.ready' && state.context.name === 'web' ? 'no web here' : undefined
    },
  })
  const box = await world.runtime.create({ name: 'web' })
  await world.until(box.start())
  assert.equal(seen.slice(0, 2), ['box.created 0', 'start.requested 1'])
  assert.equal(
    world.violations.map(({ invariant, box, message }) => ({ invariant, box, message })),
    [{ invariant: 'rule', box: box.id, message: 'no web here' }],
  )
  assert.is(world.violations[0]?.at, world.clock.monotonic())
  assert.ok(world.lines(box.id).some(line => line.endsWith('web  VIOLATION of rule: no web here')))
})

test.run()
