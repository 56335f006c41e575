import { existsSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { countsOf, runFixture } from '../runner/run-fixture.ts'
import { eventually } from './eventually.ts'
import { findOnPath } from './requires.ts'
import { makeRandom, takeSeed } from './seed.ts'
import { suite } from './suite.ts'
import { tempDir, withTempDir } from './tmp.ts'

const support = suite('support')

const notRequired = {
  ...{ BOXLEDGER_REQUIRE_QEMU: '', BOXLEDGER_REQUIRE_CH: '' },
  ...{ BOXLEDGER_REQUIRE_FAULTS: '', BOXLEDGER_REQUIRE_BROWSER: '' },
}

/** Runs something under other environment variables, and puts them back. */
const withEnv = async <T>(changes: Record<string, string>, fn: () => Promise<T>): Promise<T> => {
  const before = { ...process.env }
  Object.assign(process.env, changes)
  try {
    return await fn()
  } finally {
    for (const name of Object.keys(changes)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

support('without the machines tests are skipped, each with its reason', async () => {
  const result = await withEnv({ PATH: '', ...notRequired }, () => runFixture('requires'))
  assert.equal(countsOf(result), [0, 0, 5])
  assert.match(result.skips.join('\n'), 'on QEMU: qemu-system-x86_64 is not on PATH')
  assert.equal(result.qemu, [])
})

support('where the machines are required, their absence fails', async () => {
  const result = await withEnv(
    {
      ...{ PATH: '', BOXLEDGER_REQUIRE_QEMU: '1', BOXLEDGER_REQUIRE_CH: '1' },
      ...{ BOXLEDGER_REQUIRE_FAULTS: '1', BOXLEDGER_REQUIRE_BROWSER: '1' },
    },
    () => runFixture('requires'),
  )
  assert.equal(countsOf(result), [0, 5, 0])
})

support('a test that ran on QEMU is noted', async () => {
  await withTempDir(async dir => {
    writeFileSync(`${dir}/qemu-system-x86_64`, '', { mode: 0o755 })
    const result = await withEnv({ PATH: dir, ...notRequired }, () => runFixture('requires'))
    assert.equal(countsOf(result), [1, 0, 4])
    assert.equal(result.qemu, ['on QEMU'])
  })
})

support('programs are found on PATH', () => {
  assert.ok(findOnPath('sh'))
  assert.is(findOnPath('no-such-program'), undefined)
})

support('eventually gives what the condition gave', async () => {
  let looks = 0
  assert.is(await eventually(() => ++looks === 3 && 'there'), 'there')
})

support('eventually fails at its deadline with the last error', async () => {
  const error: unknown = await eventually(
    () => {
      throw new Error('not yet')
    },
    { timeoutMs: 30, what: 'the end' },
  ).catch((reason: unknown) => reason)
  assert.instance(error, Error)
  assert.ok(error instanceof Error && error.cause instanceof Error && error.cause.message === 'not yet')
})

support('eventually ends with its signal', async () => {
  const waiting = eventually(() => false, { signal: AbortSignal.timeout(20) })
  const error: unknown = await waiting.catch((reason: unknown) => reason)
  assert.instance(error, Error)
})

support('a temporary directory is short and goes with its scope', async () => {
  let dir = ''
  {
    using tmp = tempDir()
    dir = tmp.path
    writeFileSync(`${dir}/file`, '')
  }
  assert.not(existsSync(dir))
  assert.is(await withTempDir(other => existsSync(other)), true)
})

support('the same seed gives the same numbers, evenly spread', async () => {
  await withEnv({ BOXLEDGER_SEED: '42' }, async () => assert.is(takeSeed(), 42))
  const [one, two] = [makeRandom(42), makeRandom(42)]
  const counts = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 10_000; draw++) {
    const value = one.below(10)
    assert.is(value, two.below(10))
    counts[value] = (counts[value] ?? 0) + 1
  }
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1150, counts.join(' '))
  assert.ok(['a', 'b'].includes(one.pick(['a', 'b'])))
})

support.run()
