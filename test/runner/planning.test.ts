import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { discover } from './discover.ts'
import { readLimits } from './limits.ts'
import { checkQemuCount } from './qemu-count.ts'
import { runAll } from './schedule.ts'

const planning = suite('planning')

const inProject = (files: Record<string, string>, fn: (root: string) => Promise<void>): Promise<void> =>
  withTempDir(async root => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
      writeFileSync(path.join(root, name), text)
    }
    await fn(root)
  })

planning('tests are found by their sources, so stale builds are not run', async () => {
  const files = {
    'test/a/one.test.ts': '// @timeout 600\n// @timeout-long 1800\n',
    'test/a/two.qemu.test.ts': '',
    'test/three.test.ts': '// @heavy\n',
    'test/two.test.ts': '// @idle\n',
    'test/a/other.ts': '',
    'dist/test/a/stale.test.js': '',
  }
  await inProject(files, async root => {
    const found = await discover(root, [])
    assert.equal(
      found.map(file => [file.name, file.load, file.timeoutMs / 1000]),
      [
        ['a/one.test.ts', 'usual', 600],
        ['a/two.qemu.test.ts', 'heavy', 180],
        ['three.test.ts', 'heavy', 180],
        ['two.test.ts', 'idle', 180],
      ],
    )
    assert.is((await discover(root, ['one'], { isLong: true }))[0]?.timeoutMs, 1_800_000)
    assert.is(found[0]?.program, path.join(root, 'dist/test/a/one.test.js'))
    assert.equal(
      (await discover(root, ['a/', 'nothing'])).map(file => file.name),
      ['a/one.test.ts', 'a/two.qemu.test.ts'],
    )
  })
})

planning('files run side by side, heavy ones one at a time, and an idle one beside them', async () => {
  const loads = { h: 'heavy', u: 'usual', i: 'idle' } as const
  const names = ['h1', 'u1', 'h2', 'i1', 'u2', 'u3', 'i2', 'h3']
  const files = names.map(name => ({
    name,
    program: name,
    load: loads[name.charAt(0) as keyof typeof loads],
    timeoutMs: 1,
  }))
  const running = new Set<string>()
  const begun: string[] = []
  let most = 0
  await runAll(
    files,
    2,
    async file => {
      running.add(file.name)
      begun.push(file.name)
      most = Math.max(most, running.size)
      const count = (load: string) => [...running].filter(name => name.startsWith(load)).length
      assert.ok(count('h') <= 1 && count('i') <= 1 && count('h') + count('u') <= 2, [...running].join())
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
      running.delete(file.name)
    },
    new AbortController().signal,
  )
  assert.is(most, 3)
  assert.equal([...begun].sort(), [...names].sort())
  assert.is(begun[0], 'h1')
})

planning('nothing is begun after the signal', async () => {
  const file = { name: 'a', program: 'a', load: 'usual', timeoutMs: 1 } as const
  const stop = new AbortController()
  let begun = 0
  await runAll([file, { ...file }, { ...file }], 1, async () => stop.abort(++begun), stop.signal)
  assert.is(begun, 1)
})

planning('the committed number of QEMU tests binds only when QEMU is required', () => {
  assert.is(checkQemuCount({ ran: 1, wanted: 2, required: false }).problem, undefined)
  assert.is(checkQemuCount({ ran: 2, wanted: 2, required: true }).problem, undefined)
  const short = checkQemuCount({ ran: 1, wanted: 2, required: true })
  assert.is(short.line, 'qemu tests: 1 ran, at least 2 wanted')
  assert.ok(short.problem)
})

planning('limits come from the environment and are checked', () => {
  assert.is(readLimits({}).jobs, 2)
  assert.is(readLimits({}).remainingMs(), Number.POSITIVE_INFINITY)
  assert.equal([readLimits({}).isLong, readLimits({ BOXLEDGER_TEST_LONG: '1' }).isLong], [false, true])
  assert.ok(readLimits({ BOXLEDGER_TEST_LIMIT: '5' }).remainingMs() <= 5000)
  assert.throws(() => readLimits({ BOXLEDGER_TEST_JOBS: 'many' }))
})

planning.run()
