// @timeout 120
// @idle
import { setImmediate as turn } from 'node:timers/promises'
import { type BoxError, type BoxInfo, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { ways } from './ways.ts'

const image = smallGuest('idle')
/** Node warns of the eleventh listener of one signal. */
const manyWaits = 11

for (const way of ways) {
  const test = suite(`api: watching boxes, ${way.name}`)

  const withRuntime = (use: (runtime: BoxRuntime, home: string) => Promise<void>) =>
    withTempDir(async home => {
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const { runtime } = opened
      await use(runtime, home)
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    })

  test('that a VMM is silent, and answers again, is shown as it happens', () =>
    withRuntime(async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      await box.start()
      const states: BoxInfo[] = []
      const listed: boolean[] = []
      box.state$.subscribe(info => states.push(info))
      runtime.boxes$.subscribe(([info]) => info && listed.push(info.responding))
      const { pid = 0 } = await box.info()
      const silent = box.waitFor(({ responding }) => !responding, { timeoutMs: 20_000 })
      process.kill(pid, 'SIGSTOP')
      assert.is((await silent).state, 'running')
      await eventually(() => states.at(-1)?.responding === false && listed.at(-1) === false)
      process.kill(pid, 'SIGCONT')
      await box.waitFor(({ responding }) => responding, { timeoutMs: 20_000 })
      await eventually(() => states.at(-1)?.responding === true && listed.at(-1) === true)
      assert.equal(
        states.map(({ responding }) => responding),
        [true, false, true],
      )
    }))

  test('a VMM that dies in silence does not leave its box silent', () =>
    withRuntime(async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      await box.start()
      const states: BoxInfo[] = []
      box.state$.subscribe(info => states.push(info))
      const { pid = 0 } = await box.info()
      process.kill(pid, 'SIGSTOP')
      await box.waitFor(({ responding }) => !responding, { timeoutMs: 20_000 })
      process.kill(pid, 'SIGKILL')
      await box.wait()
      assert.is((await box.info()).responding, true)
      await eventually(() => states.at(-1)?.state === 'crashed')
      assert.is(states.at(-1)?.responding, true)
    }))

  test('a signal ends a stream with one ABORTED, at the record at which it came', () =>
    withRuntime(async runtime => {
      for (let n = 0; n < 20; n += 1) await runtime.create()
      const first = (await runtime.listInfo()).at(-1)?.id ?? ''
      const box = await runtime.get(first)
      const streams = [
        (signal: AbortSignal) => runtime.events({ signal }),
        (signal: AbortSignal) => runtime.events({ signal, follow: true }),
        (signal: AbortSignal) => runtime.events({ signal, box: first, follow: true }),
        (signal: AbortSignal) => box?.events({ signal, follow: true }) as AsyncGenerator<LedgerRecord>,
      ]
      for (const read of streams) {
        const left = new AbortController()
        const records = read(left.signal)
        const seen: number[] = []
        const error: BoxError = await (async () => {
          for await (const { position } of records) {
            seen.push(position)
            left.abort('enough')
          }
        })().then(
          () => assert.unreachable('it was aborted'),
          error => error,
        )
        assert.equal([error.code, error.cause, seen], ['ABORTED', 'enough', [1]])
        assert.is(error.message, 'The wait was aborted; what was asked for may still happen')
        assert.equal(await records.next(), { done: true, value: undefined })
      }
    }))

  test('a signal ends a wait that is under way, and what is watched, with the same', () =>
    withRuntime(async runtime => {
      const box = await runtime.create({ image, ready: { console: 'never said' }, stopTimeoutMs: 0 })
      const left = new AbortController()
      const { signal } = left
      const start = box.start({ signal })
      await box.waitFor(({ stage }) => stage === 'waiting', { timeoutMs: 20_000 })
      const waits = [
        start,
        box.wait({ signal }),
        box.waitFor(({ name }) => name === 'never', { signal, timeoutMs: 60_000 }),
        (async () => {
          for await (const _ of box.console({ follow: true, signal }));
        })(),
        (async () => {
          for await (const _ of runtime.events({ follow: true, signal }));
        })(),
        new Promise((_, reject) => runtime.events$({ follow: true, signal }).subscribe({ error: reject })),
      ]
      const outcomes = Promise.allSettled(waits)
      await box.info()
      left.abort('enough')
      for (const outcome of await outcomes) {
        assert.is(outcome.status, 'rejected')
        const { code, cause } = (outcome as PromiseRejectedResult).reason
        assert.equal([code, cause], ['ABORTED', 'enough'])
      }
      assert.is((await box.info()).stage, 'waiting', 'what was asked for goes on')
    }))

  test('one signal may be given to many waits: nobody is warned of a leak', () =>
    withRuntime(async runtime => {
      const warnings = await warningsOf(async () => {
        const box = await runtime.create({ image, ready: { console: 'never said' }, stopTimeoutMs: 0 })
        const left = new AbortController()
        const { signal } = left
        const many = (wait: () => Promise<unknown>) =>
          Promise.allSettled(Array.from({ length: manyWaits }, wait))
        const starts = many(() => box.start({ commandId: 'start', signal }))
        await box.waitFor(({ stage }) => stage === 'waiting', { timeoutMs: 20_000 })
        const waits = [
          starts,
          many(() => box.wait({ signal })),
          many(() => box.waitFor('gone', { signal })),
          many(() => ended(runtime.events({ follow: true, signal }))),
          many(() => ended(box.console({ follow: true, signal }))),
        ]
        // Asked after them, it is answered when they wait.
        await box.info()
        left.abort()
        for (const { status } of (await Promise.all(waits)).flat()) assert.is(status, 'rejected')
      })
      assert.equal(warnings, [])
    }))

  test('many boxes may be watched: nobody is warned of a leak', () =>
    withRuntime(async runtime => {
      const warnings = await warningsOf(async () => {
        const boxes = await Promise.all(Array.from({ length: manyWaits }, () => runtime.create()))
        for (const { actor, state$ } of boxes) {
          actor.subscribe(() => {})
          state$.subscribe(() => {})
        }
        for (const { id } of boxes) await runtime.rename(id, `box-${id}`)
      })
      assert.equal(warnings, [])
    }))

  test('pages follow each other, though the box between them was removed', () =>
    withRuntime(async runtime => {
      const names = Array.from({ length: 7 }, (_, n) => `n${n}`)
      for (const name of names) await runtime.create({ name })
      const seen: (string | undefined)[] = []
      let after: string | undefined
      for (;;) {
        const page = await runtime.listInfo({ limit: 2, ...(after === undefined ? {} : { after }) })
        const last = page.at(-1)
        if (last === undefined) break
        seen.push(...page.map(({ name }) => name))
        after = last.id
        await runtime.remove(last.id)
      }
      assert.equal(seen, names.reverse())
      const types: string[] = []
      for (let from = 1; ; from += 1) {
        const [record] = await firstOf(runtime.events({ from, box: after as string }))
        if (record === undefined) break
        types.push(record.event.type)
        from = record.position
      }
      assert.equal(types, ['box.created', 'remove.requested', 'box.removed'])
    }))

  test('what is watched keeps up with what is done', () =>
    withRuntime(async runtime => {
      const states: string[] = []
      const changes: number[] = []
      const box = await runtime.create({ name: 'a' })
      box.state$.subscribe(({ name }) => states.push(String(name)))
      runtime.changes$.subscribe(({ position }) => changes.push(position))
      for (const name of ['b', 'c', 'd']) {
        await runtime.rename(box.id, name)
        assert.is(states.at(-1), name)
        assert.is(changes.at(-1), (await box.info()).position)
      }
      await box.remove()
      assert.equal(states.slice(0, 4), ['a', 'b', 'c', 'd'])
      assert.is(changes.length, 5)
    }))

  test('closing ends what is followed, and cuts off no reading unnoticed', () =>
    withTempDir(async home => {
      await using opened = await way.open({ home, durability: 'process' })
      const { runtime } = opened
      const box = await runtime.create()
      await Promise.all(Array.from({ length: 500 }, () => runtime.create()))
      const followed = ended(runtime.events({ from: 501, follow: true }))
      const console = ended(box.console({ follow: true }))
      const states = new Promise<void>((complete, error) => box.state$.subscribe({ complete, error }))
      const reading = runtime.events()
      await reading.next()
      let count = 1
      const waits = [box.waitFor('gone'), box.waitFor('up', { timeoutMs: 60_000 })].map(wait =>
        wait.catch(error => error.code),
      )
      await runtime.close()
      await Promise.all([followed, console, states])
      assert.equal(await Promise.all(waits), ['ENGINE_CLOSED', 'ENGINE_CLOSED'])
      try {
        for await (const _ of reading) count += 1
        assert.is(count, 501)
      } catch (error) {
        assert.is((error as BoxError).code, 'ENGINE_CLOSED')
      }
    }))

  test.run()
}

const firstOf = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  for await (const value of values) return [value]
  return []
}

const warningsOf = async (body: () => Promise<void>): Promise<string[]> => {
  const warnings: string[] = []
  const hear = ({ name, message }: Error) => warnings.push(`${name}: ${message}`)
  process.on('warning', hear)
  try {
    await body()
    // Warnings are told in a turn of their own.
    await turn()
    return warnings
  } finally {
    process.off('warning', hear)
  }
}

const ended = async (values: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of values);
}

const test = suite('api: what goes over the socket')

test('records and infos arrive as they are', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    await using client = await BoxRuntime.connect({ home })
    const box = await client.create({ name: 'x', image, env: { A: 'ä \u0001' }, stopTimeoutMs: 0 })
    await box.start()
    await box.stop()
    await client.create({ image: { kernel: '/nowhere' } }).then(other => other.start().catch(() => {}))
    assert.equal(await client.listInfo(), await owner.listInfo())
    const all = async (runtime: BoxRuntime) => {
      const records: LedgerRecord[] = []
      for await (const record of runtime.events()) records.push(record)
      return records
    }
    assert.equal(await all(client), await all(owner))
  }))

test.run()
