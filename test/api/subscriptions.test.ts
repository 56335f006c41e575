// @timeout 120
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { BoxError, BoxRuntime, type DurableSubscription, type ErrorCode, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { damage } from './damage.ts'
import { serve } from './serve.ts'
import { ways } from './ways.ts'

const rejects = async (code: ErrorCode, work: () => Promise<unknown>): Promise<BoxError> => {
  const error = await work().then(
    () => undefined,
    error => error,
  )
  assert.ok(BoxError.is(error, code), `${code}, not ${error}`)
  return error
}

/** Takes so many records, and leaves; `ack`: of each. */
const take = async (
  subscription: AsyncIterable<LedgerRecord>,
  count: number,
  ack: (position: number) => Promise<void> = async () => {},
): Promise<number[]> => {
  const positions: number[] = []
  for await (const { position } of subscription) {
    positions.push(position)
    await ack(position)
    if (positions.length === count) break
  }
  return positions
}

const acking = (subscription: DurableSubscription, count: number) =>
  take(subscription, count, position => subscription.ack(position))

const make = async (runtime: BoxRuntime, count: number, labels = {}) => {
  for (let n = 0; n < count; n += 1) await runtime.create({ labels })
}

for (const way of ways) {
  const test = suite(`api: durable subscriptions, ${way.name}`)

  const withRuntime = (use: (runtime: BoxRuntime, home: string) => Promise<void>, home?: string) => {
    const work = async (dir: string) => {
      await using opened = await way.open({ home: dir })
      await use(opened.runtime, dir)
    }
    return home === undefined ? withTempDir(work) : work(home)
  }

  test('goes on behind what was acknowledged, whoever owns the home by then', () =>
    withTempDir(async home => {
      await withRuntime(async runtime => {
        await make(runtime, 6)
        await using all = runtime.subscription('all')
        assert.equal(await acking(all, 2), [1, 2])
        assert.equal(await take(all, 2), [3, 4], 'what it acknowledged is not given again')
        assert.equal(await take(all, 2), [3, 4], 'what it did not acknowledge is')
      }, home)
      await withRuntime(async runtime => {
        await make(runtime, 1)
        assert.equal(await acking(runtime.subscription('all', { from: 1 }), 3), [3, 4, 5])
        assert.equal(await take(runtime.subscription('other', { from: 6 }), 2), [6, 7])
        assert.equal(await take(runtime.subscription('other', { from: 1 }), 1), [6], 'from is of a new one')
        assert.equal(await runtime.subscriptions.list(), [
          { name: 'all', acknowledged: 5, from: 1, behind: 2, active: false },
          { name: 'other', acknowledged: 0, from: 6, behind: 2, active: false },
        ])
        assert.ok((await runtime.verify()).ok)
      }, home)
    }))

  test('takes what it looks for, from the past and then as it comes; a name keeps its filter', () =>
    withRuntime(async runtime => {
      const labels = { team: 'a' }
      const box = await runtime.create({ name: 'one', labels })
      await make(runtime, 2, { team: 'b' })
      const filter = { labels, types: ['box.renamed', 'box.created'] }
      const theirs = runtime.subscription('theirs', filter)
      assert.equal((await theirs.next()).value?.position, 1)
      const next = theirs.next()
      await runtime.rename('one', 'two')
      assert.equal((await next).value?.position, 4)
      await theirs.ack(4)
      assert.equal(await theirs.return(), { done: true, value: undefined })
      await runtime.rename('two', 'three')
      const again = { types: ['box.created', 'box.renamed', 'box.created'], labels }
      assert.equal(
        await take(runtime.subscription('theirs', again), 1),
        [5],
        'the same filter, said otherwise',
      )
      for (const other of [{}, { ...filter, types: ['box.created'] }, { ...filter, labels: { team: 'b' } }]) {
        const error = await rejects('INVALID_ARGUMENT', () => runtime.subscription('theirs', other).next())
        assert.is(error.details.acknowledged, 4)
      }
      const field = async (o: object) =>
        (await rejects('INVALID_ARGUMENT', () => runtime.subscription('theirs', o).next())).details.field
      assert.is(await field({ ...filter, box: box.id }), 'box')
      const one = runtime.subscription('one', { box: 'three', follow: false })
      assert.equal(await take(one, 9), [1, 4, 5])
      assert.equal(await take(runtime.subscription('one', { box: box.id, follow: false }), 9), [1, 4, 5])
    }))

  test('one consumer of a name at a time; whoever leaves, however he does, frees it', () =>
    withRuntime(async (runtime, home) => {
      await make(runtime, 3)
      const left = new AbortController()
      const first = runtime.subscription('mine', { signal: left.signal })
      assert.is((await first.next()).value?.position, 1)
      await using other = await BoxRuntime.connect({ home })
      const busy = async () => {
        for (const from of [runtime, other]) {
          const error = await rejects('BUSY', () => from.subscription('mine').next())
          assert.ok(error.retryable)
        }
        await rejects('BUSY', () => runtime.subscriptions.remove('mine'))
        assert.ok((await runtime.subscriptions.list()).every(({ active }) => active))
      }
      await busy()
      await rejects('BUSY', async () => {
        for await (const _ of first) assert.unreachable()
      })
      left.abort('enough')
      await eventually(async () => (await runtime.subscriptions.list()).every(({ active }) => !active))

      const second = runtime.subscription('mine')
      await take(second, 3)
      const third = other.subscription('mine')
      await third.next()
      await busy()
      const pending = (async () => {
        await third.next()
        await third.next()
        return third.next()
      })()
      await turn()
      await third.close()
      assert.equal(await pending, { done: true, value: undefined })
      assert.equal(await take(third, 1), [], 'what is closed gives nothing more')
      await rejects('INVALID_ARGUMENT', () => second.ack(4))
      await second.ack(3)
      assert.equal(await take(runtime.subscription('mine', { follow: false }), 1), [])
      {
        await using fourth = runtime.subscription('mine')
        const waits = fourth.next()
        await make(runtime, 1)
        assert.is((await waits).value?.position, 4)
      }
      await runtime.subscriptions.remove('mine')
      await rejects('NOT_FOUND', () => runtime.subscriptions.remove('mine'))
      await rejects('NOT_FOUND', () => second.ack(3))
      assert.equal(await take(runtime.subscription('mine'), 1), [1])
    }))

  test('acknowledging goes up only, and not beyond what was delivered', () =>
    withRuntime(async runtime => {
      await make(runtime, 9)
      const it = runtime.subscription('it', { from: 3 })
      await rejects('INVALID_ARGUMENT', () => it.ack(1))
      assert.equal(await take(it, 4), [3, 4, 5, 6])
      for (const wrong of [0, -1, 1.5, Number.NaN, 7, 2 ** 60, '5', null, undefined])
        assert.is((await rejects('INVALID_ARGUMENT', () => it.ack(wrong as never))).details.field, 'position')
      await Promise.all([it.ack(5), it.ack(4), it.ack(5), it.ack(1)])
      assert.equal(await take(it, 2), [6, 7])
      await it.ack(3)
      assert.is((await runtime.subscriptions.list())[0]?.acknowledged, 5)
    }))

  test('what is asked for is checked, and where the runtime is closed nothing is', async () => {
    const names = ['', '-a', 'a b', 'a/b', 'x'.repeat(64), 7, null, undefined, {}]
    let live: DurableSubscription | undefined
    await withRuntime(async runtime => {
      for (const name of names) {
        const wrong = runtime.subscription(name as never)
        for (const work of [() => wrong.next(), () => wrong.ack(1)])
          assert.is((await rejects('INVALID_ARGUMENT', work)).details.field, 'name')
        await rejects('INVALID_ARGUMENT', () => runtime.subscriptions.remove(name as never))
      }
      const wrongs = [{ from: 0 }, { colour: 'red' }, { types: 'x' }, { types: ['x'.repeat(40_000)] }, null]
      for (const o of wrongs)
        await rejects('INVALID_ARGUMENT', () => runtime.subscription('it', o as never).next())
      await rejects('NOT_FOUND', () => runtime.subscription('it', { box: 'nowhere' }).next())
      assert.equal(await runtime.subscriptions.list(), [])
      await make(runtime, 2)
      live = runtime.subscription('live')
      await live.next()
      const ended = take(live, 9)
      await rejects('BUSY', () => ended)
      await live.next()
      const end = live.next()
      await runtime.close()
      assert.equal(await end, { done: true, value: undefined })
      await rejects('ENGINE_CLOSED', () => runtime.subscriptions.list())
      await rejects('ENGINE_CLOSED', () => runtime.subscription('it').next())
    })
    await rejects('ENGINE_CLOSED', async () => live?.ack(1))
  })

  test('in a copy of a home nothing is delivered a second time until it is adopted', () =>
    withTempDir(async dir => {
      const [home, copy] = [join(dir, 'home'), join(dir, 'copy')]
      await withRuntime(async runtime => {
        await make(runtime, 3)
        await acking(runtime.subscription('it'), 2)
      }, home)
      cpSync(home, copy, { recursive: true })
      await withRuntime(async runtime => {
        await rejects('INVALID_STATE', () => runtime.subscription('it').next())
        assert.is((await runtime.subscriptions.list())[0]?.acknowledged, 2)
        await runtime.adopt()
        assert.equal(await take(runtime.subscription('it'), 1), [3])
      }, copy)
    }))

  test('what is damaged is told, and never begun anew by itself', () =>
    withTempDir(async dir => {
      const [home, target] = [join(dir, 'home'), join(dir, 'repaired')]
      await withRuntime(async runtime => {
        await make(runtime, 3)
        await acking(runtime.subscription('bad'), 2)
        await acking(runtime.subscription('good'), 2)
      }, home)
      await damage(home, 'm/ack/bad')
      await withRuntime(async runtime => {
        const bad = runtime.subscription('bad')
        assert.is((await rejects('LEDGER_CORRUPT', () => bad.next())).details.subscription, 'bad')
        const { problems } = await runtime.verify()
        assert.equal(
          problems.map(({ kind, message }) => [kind, /bad/.test(message)]),
          [['subscription', true]],
        )
        const [first] = await runtime.subscriptions.list()
        assert.equal(first, { name: 'bad', active: false })
        assert.equal(await take(runtime.subscription('good'), 1), [3])
      }, home)
      await BoxRuntime.repair(home, target)
      await withRuntime(async runtime => {
        await runtime.adopt()
        await rejects('LEDGER_CORRUPT', () => runtime.subscription('bad').next())
        assert.equal(await take(runtime.subscription('good'), 1), [3])
        await runtime.subscriptions.remove('bad')
        assert.equal(await take(runtime.subscription('bad', { from: 2 }), 1), [2])
        assert.ok((await runtime.verify()).ok)
      }, target)
      await withRuntime(async runtime => runtime.subscriptions.remove('bad'), home)
    }))

  test.run()
}

const test = suite('api: durable subscriptions at many owners')

test('kill -9 of the owner under load: a consumer goes on at the next, and what was acknowledged is', () =>
  withTempDir(async home => {
    let owner = await serve(home)
    await using client = await BoxRuntime.connect({ home })
    await using other = await BoxRuntime.connect({ home })
    const mine = client.subscription('mine')
    const seen: number[] = []
    let acknowledged = 0
    const reading = (async () => {
      for await (const { position } of mine) {
        seen.push(position)
        await mine.ack(position)
        acknowledged = position
        if (position === 60) return
      }
    })()
    for (let round = 0; round < 2; round += 1) {
      const work = Promise.all(Array.from({ length: 30 }, () => other.create()))
      await eventually(() => seen.length > round * 30)
      await owner.end('SIGKILL')
      const before = acknowledged
      owner = await serve(home)
      const [info] = await other.subscriptions.list()
      assert.ok((info?.acknowledged ?? 0) >= before, `${info?.acknowledged} of ${before}`)
      await work
    }
    await reading
    assert.equal(
      seen,
      Array.from({ length: 60 }, (_, n) => n + 1),
    )
    await owner.end('SIGTERM')
  }))

test.run()
