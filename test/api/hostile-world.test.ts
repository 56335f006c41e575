import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime, type OpenOptions } from 'boxledger'
import * as assert from 'uvu/assert'
import { paths } from '../support/hostile.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('api: IDs, times and chances that a caller brings')

const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    assert.ok(BoxError.is(error), String(error))
    return error.code
  }
}

const ids: readonly unknown[] = [
  ...paths,
  '',
  'short',
  'ABCDEFGHIJKL',
  123456789012,
  null,
  undefined,
  {},
  [],
  'abcdefghijk\n',
]

test('what is no ID is refused, and nothing is written anywhere', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    let next: unknown
    await using runtime = await BoxRuntime.open({ home, ids: (() => next) as never })
    for (next of ids) {
      const code = await codeOf(runtime.create({ secrets: { a: 'b' } }))
      assert.is(code, 'INVALID_ARGUMENT', String(next))
    }
    assert.equal(await runtime.listInfo(), [])
    assert.not(existsSync(join(home, 'boxes')))
    assert.not(existsSync(join(home, 'secrets')))
    next = 'abcdefghijkl'
    await runtime.create()
    for (const _ of [1, 2]) assert.ok(await codeOf(runtime.create()), 'an ID is never given twice')
    await runtime.remove('abcdefghijkl')
    assert.ok(await codeOf(runtime.create()))
    assert.ok((await runtime.verify({ replay: true })).ok)
  }))

test('a time that is none, and one before 1970, are refused; the ledger stays good', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    let now: unknown = Date.now()
    const clock = {
      now: () => now,
      monotonic: () => performance.now(),
      setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
      clearTimeout: (handle: NodeJS.Timeout) => clearTimeout(handle),
    } as NonNullable<OpenOptions['clock']>
    const good = now
    const wrong = [
      Number.NaN,
      -1,
      0.5,
      Number.POSITIVE_INFINITY,
      8.64e15,
      Number.MAX_SAFE_INTEGER,
      '7',
      null,
      undefined,
      {},
    ]
    {
      await using runtime = await BoxRuntime.open({ home, clock })
      const box = await runtime.create({ name: 'a' })
      for (now of wrong) {
        assert.is(await codeOf(runtime.create()), 'INVALID_ARGUMENT', String(now))
        assert.is(await codeOf(runtime.rename(box.id, 'b')), 'INVALID_ARGUMENT', String(now))
      }
      now = good
      await runtime.rename(box.id, 'c')
      assert.ok((await runtime.verify({ replay: true })).ok)
    }
    for (now of [Number.NaN, undefined, {}, Number.POSITIVE_INFINITY])
      assert.ok(await codeOf(BoxRuntime.open({ home, clock })), String(now))
    await using again = await BoxRuntime.open({ home })
    assert.is((await again.getInfo('c'))?.name, 'c')
  }))

test.run()
