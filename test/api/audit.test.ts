import { BoxError, type BoxInfo, BoxRuntime, type ErrorCode, type ForkEvent } from 'boxledger'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromCallback } from 'xstate'
import type { Hands } from '../../src/vmm/driver.ts'
import { vmmHands } from '../../src/vmm/vmm-driver.ts'
import { crashStory } from '../support/crash-story.ts'
import { anything, withFields } from '../support/hostile.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { tempDir, withTempDir } from '../support/tmp.ts'
import { damage } from './damage.ts'
import { ways } from './ways.ts'

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (BoxError.is(error)) return error.code
    throw error
  }
}

const never = (): never => {
  throw new Error('the hands were used')
}

/** Hands that must not be used: what acts on the world, or asks it anything, throws. */
const bound: Hands = {
  runs: vmmHands.runs,
  driver: fromCallback(never),
  reach: never,
  looks: new Proxy(vmmHands.looks, { get: never }),
  removeSnapshot: never,
  removeFiles: never,
}

const tmp = tempDir()
let storyOf: string | undefined

/** Tells the story once for all tests that only look back. */
async function ofStory(body: (home: string, id: string) => Promise<void>): Promise<void> {
  storyOf ??= await crashStory(tmp.path)
  await body(tmp.path, storyOf)
}

for (const way of ways) {
  const test = suite(`api: audit, ${way.name}`)

  test('every state that a box was in is told as it was told then', () =>
    withTempDir(async home => {
      const seen = new Map<number, BoxInfo>()
      const owner = await BoxRuntime.open({ home })
      owner.changes$.subscribe(info => seen.set(info.position, info))
      const a = await owner.create({ name: 'a', labels: { tier: 'one' } })
      for (let n = 0; n < 135; n += 1) {
        await owner.rename(a.id, `a-${n}`)
        if (n % 50 === 0) await owner.create({ name: `other-${n}` })
      }
      await owner.close()

      await using opened = await way.open({ home })
      const { runtime } = opened
      for (const info of seen.values()) {
        assert.equal(await runtime.stateAt(info.id, { version: info.version }), info)
        if (info.version % 16 > 1) continue
        assert.equal(await runtime.stateAt(info.id, { position: info.position }), info)
        const then = await runtime.stateAt(info.id, { time: new Date(info.updatedAt) })
        assert.is(then.updatedAt, info.updatedAt)
      }
      assert.equal(await runtime.diff('a-134', 2, 3), [{ path: ['name'], before: 'a-0', after: 'a-1' }])
      assert.equal(await runtime.diff('a-134', 3, 3), [])
      assert.is(await codeOf(runtime.stateAt('a-134', { version: 137 })), 'NOT_FOUND')
      assert.is(await codeOf(runtime.stateAt('a-134', { time: new Date(0) })), 'NOT_FOUND')
      assert.is(await codeOf(runtime.stateAt('other-50', { position: 1 })), 'NOT_FOUND')
      assert.is(await codeOf(runtime.stateAt('nobody', { version: 1 })), 'NOT_FOUND')
      assert.is(await codeOf(runtime.stateAt('a-134', { version: 0 })), 'INVALID_ARGUMENT')
    }))

  test('looking back and forking run nothing and record nothing: the driver under them throws', () =>
    ofStory(async (home, id) => {
      await using opened = await way.open({ home, seams: { hands: bound } })
      const { runtime } = opened
      const before = await runtime.metrics()
      assert.is((await runtime.stateAt(id, { version: 8 })).state, 'running')
      const { from, steps, to } = await runtime.fork(id, { version: 8 }, [
        { type: 'stop.requested', mode: 'graceful' },
        { type: 'start.requested' },
        { type: 'box.created' } as ForkEvent,
        { type: 'guest.powered-off', at: '2030-01-01T00:00:00.000Z' } as ForkEvent,
      ])
      assert.is(from.state, 'running')
      assert.equal(
        steps.map(({ to, effects }) => [to, ...effects.map(({ type }) => type)]),
        [['stopping', 'pressButton'], ['stopping'], ['stopping'], ['stopping', 'closeVmm']],
      )
      assert.is(steps[1]?.refused?.state, 'stopping')
      assert.ok(steps[1]?.refused?.accepts.includes('stop.requested'))
      assert.equal(
        steps.map(({ version }) => version),
        [9, 9, 9, 10],
      )
      assert.is(to.updatedAt, '2030-01-01T00:00:00.000Z')
      assert.is(to.version, 10)
      await runtime.diff(id, 1, 30)
      await runtime.explain(id)
      await runtime.why(30)
      const after = await runtime.metrics()
      assert.is(after.position, before.position)
      assert.is((await runtime.getInfo(id))?.version, 30)
    }))

  test('what led to a record is told across renames and engines', () =>
    ofStory(async (home, id) => {
      await using opened = await way.open({ home })
      const { runtime } = opened
      const whys = async (position: number) => (await runtime.why(position)).map(record => record.position)
      assert.equal(await whys(1), [1])
      assert.equal(await whys(2), [2])
      assert.equal(await whys(8), [2, 3, 4, 5, 6, 7, 8])
      assert.equal(await whys(9), [9])
      assert.equal(await whys(17), [9, 10, 11, 12, 13, 14, 15, 16, 17])
      assert.equal(await whys(27), [27])
      assert.equal(await whys(30), [28, 30])
      assert.is(await codeOf(runtime.why(31)), 'NOT_FOUND')
      const [first] = await runtime.why(30)
      assert.is(first?.meta.actor, 'bob')
      assert.is(first?.box, id)
    }))

  test('explain tells what is held, and what would be taken', () =>
    withTempDir(async home => {
      {
        await using opened = await way.open({ home })
        const { id } = await opened.runtime.create({ name: 'web-old' })
        const explained = await opened.runtime.explain('web-old')
        assert.is(explained.box.id, id)
        assert.ok(explained.accepts.includes('start.requested'))
        assert.is(explained.held, undefined)
        assert.equal([explained.effects, explained.timers, explained.executions], [[], [], []])
        await opened.runtime.remove('web-old')
        const gone = await opened.runtime.explain(id)
        assert.is(gone.box.state, 'removed')
        assert.equal(gone.accepts, [])
        await opened.runtime.create({ name: 'bad' })
      }
      const owner = await BoxRuntime.open({ home })
      const bad = (await owner.getInfo('bad'))?.id as string
      await owner.close()
      await damage(home, bad)
      await using opened = await way.open({ home })
      const { held, accepts, box } = await opened.runtime.explain(bad)
      assert.is(held?.code, 'LEDGER_CORRUPT')
      assert.is(held?.waits, false)
      assert.equal(accepts, [])
      assert.ok(box.parked)
      assert.is(await codeOf(opened.runtime.stateAt(bad, { version: 1 })), 'LEDGER_CORRUPT')
    }))

  test.run()
}

const test = suite('api: audit')

test.after(() => tmp[Symbol.dispose]())

test('a fork takes any events, and refuses what is none, whatever it is', () =>
  ofStory(async (home, id) => {
    const seed = takeSeed()
    await using runtime = await BoxRuntime.open({ home, seams: { hands: bound } })
    const types: readonly string[] = [
      ...['start.requested', 'stop.requested', 'vm.booted', 'vmm.exited', 'vmm.spawned', 'guest.ready'],
      ...['snapshot.committed', 'timer.fired', 'box.created', 'exec.started', 'nothing', '__proto__'],
    ]
    const event = withFields({
      type: fc.constantFrom(...types),
      incarnation: fc.integer({ min: 0, max: 4 }),
      at: fc.constantFrom('2030-01-01T00:00:00Z', 'yesterday', ''),
      mode: fc.constantFrom('kill', 'softly'),
      timer: fc.constantFrom('xstate.after.restartDelay.box.crashed', ''),
      process: fc.constantFrom({ pid: 1, startTime: '1', bootId: 'b', pidNamespace: '1' }, {}),
    })
    let folded = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.oneof({ weight: 9, arbitrary: event }, anything), { maxLength: 4 }),
        async (version, events) => {
          try {
            const { steps } = await runtime.fork(id, { version }, events as readonly ForkEvent[])
            assert.is(steps.length, events.length)
            folded += steps.filter(({ refused }) => refused === undefined).length
          } catch (error) {
            assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), String(error))
          }
        },
      ),
      { seed, numRuns: 300 },
    )
    assert.ok(folded > 0)
    assert.is((await runtime.metrics()).position, 30)
  }))

test('what a fork comes to is what happens then', () =>
  ofStory(async (home, id) => {
    await using runtime = await BoxRuntime.open({ home, seams: { hands: bound } })
    const records = []
    for await (const record of runtime.history(id)) records.push(record)
    const events = records.slice(1).map(({ event, at }) => ({ ...event, at }) as ForkEvent)
    const { steps, to } = await runtime.fork(id, { version: 1 }, events)
    assert.equal(
      steps.map(({ to, effects, timers }) => ({ to, effects, timers })),
      records.slice(1).map(({ to, effects, timers }) => ({ to, effects, timers })),
    )
    const { position: _, ...info } = (await runtime.getInfo(id)) as BoxInfo
    const { position: __, ...forked } = to
    assert.equal(forked, info)
  }))

test.run()
