// The runner as people start it: its lines, its exit codes, its end by a signal.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { root } from './run-fixture.ts'

const runner = suite('runner')

const start = (names: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess =>
  spawn(
    process.execPath,
    [
      path.join(root, 'dist/test/run.js'),
      ...names.map(name => path.join(root, `test/fixtures/runner/${name}.mjs`)),
    ],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  )

const finish = async (
  child: ChildProcess,
): Promise<{ code: number | null; output: string; last: string }> => {
  if (!child.stdout) throw new Error('no output')
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code: child.exitCode, output, last: output.trimEnd().split('\n').at(-1) ?? '' }
}

runner('all passed: exit code 0 and the closing line last', async () => {
  const { code, output, last } = await finish(start(['passing', 'on-qemu']))
  assert.is(code, 0)
  assert.is(last, '4 passed, 0 failed')
  assert.ok(output.endsWith('failed\n'))
  assert.match(output, /^ok {3}\S+passing\.mjs: 2 passed, 0 failed, \d+ ms$/m)
  assert.match(output, /^qemu tests: 2 ran, at least \d+ wanted/m)
})

runner('failures are shown in full, skips with their reasons', async () => {
  const { code, output, last } = await finish(start(['failing', 'skip-with-reason']))
  assert.is(code, 1)
  assert.is(last, '2 passed, 1 failed, 2 skipped')
  assert.match(output, 'as it should')
  assert.match(output, /^skipped: two: the moon is not full \(/m)
  assert.match(output, /^failed: \S+failing\.mjs$/m)
})

runner('the closing line of a failing run within a run is not taken for its own', async () => {
  const { output } = await finish(start(['failing']))
  assert.is(output.match(/^\d+ passed, \d+ failed/gm)?.length, 1)
})

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  runner(`${signal} ends it cleanly`, async () => {
    await withTempDir(async dir => {
      const mark = path.join(dir, 'mark')
      const child = start(['hanging', 'hanging'], { FIXTURE_MARK: mark, BOXLEDGER_TEST_JOBS: '1' })
      const finished = finish(child)
      await eventually(() => existsSync(mark))
      child.kill(signal)
      const { code, output, last } = await finished
      assert.is(code, expected)
      assert.match(output, `stopped (${signal}): 1 of 2 files were begun`)
      assert.is(last, '0 passed, 2 failed')
    })
  })
}

runner('a filter that matches nothing fails', async () => {
  const child = spawn(process.execPath, [path.join(root, 'dist/test/run.js'), 'no such file'])
  const { code, last } = await finish(child)
  assert.is(code, 1)
  assert.is(last, '0 passed, 1 failed')
})

runner.run()
