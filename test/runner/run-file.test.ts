import { mkdirSync, readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import type { FileResult } from './run-file.ts'
import { countsOf, runFixture } from './run-fixture.ts'
import type { RunOptions } from './run-program.ts'

const counting = suite('counting')

counting('passing tests are counted', async () => {
  const result = await runFixture('passing')
  assert.equal(countsOf(result), [2, 0, 0])
  assert.equal(result.problems, [])
})

counting('failing tests are counted and their output is kept', async () => {
  const result = await runFixture('failing')
  assert.equal(countsOf(result), [1, 1, 0])
  assert.equal(result.problems, [])
  assert.match(result.output, 'as it should')
})

counting('a file without tests fails', async () => {
  const result = await runFixture('no-tests')
  assert.equal(countsOf(result), [0, 1, 0])
  assert.match(result.problems.join(), 'registers no tests')
})

counting('a crash fails and is named', async () => {
  const result = await runFixture('crashing')
  assert.equal(countsOf(result), [0, 1, 0])
  assert.match(result.problems.join(), 'SIGSEGV')
})

counting('a failing hook fails the tests that did not run', async () => {
  assert.equal(countsOf(await runFixture('failing-hook')), [0, 2, 0])
})

counting(
  'whatever is thrown is told: the test, the code, the message, what it carries, and where',
  async () => {
    const result = await runFixture('odd-errors')
    assert.equal(countsOf(result), [1, 5, 0])
    assert.equal(result.problems, [])
    for (const said of [
      /FAIL .*odd errors.*"with details"\n {4}BoxError NO_SPACE: the disk is full\n/,
      /details: \{ wanted: 7 \}\n +cause: Error: ENOSPC of it\n/,
      /"with a cause"\n {4}in vain\n+ +cause: Error: the reason\n/,
      /"no error"\n {4}thrown: \{ some: 'thing' \}\n/,
      /"nothing"\n {4}thrown: undefined\n/,
      /at .*odd-errors\.mjs:7:9/,
      /FAIL hooked before: BoxError: no ground to stand on\n/,
      /code: 'NO_OWNER'/,
    ])
      assert.match(result.output, said)
  },
)

counting('an exit code fails a file whose tests passed', async () => {
  const result = await runFixture('exit-code')
  assert.equal(countsOf(result), [1, 1, 0])
  assert.match(result.problems.join(), 'exited with 3')
})

counting('a skip without a reason fails', async () => {
  const result = await runFixture('skip-silent')
  assert.equal(countsOf(result), [1, 1, 1])
  assert.match(result.problems.join(), 'skipped without a reason')
})

counting('skips with reasons are collected, also those noticed while running', async () => {
  const result = await runFixture('skip-with-reason')
  assert.equal(countsOf(result), [1, 0, 2])
  assert.equal(result.skips, ['two: the moon is not full', 'three: noticed while running'])
})

counting('what tests print is told, without what uvu does', async () => {
  assert.equal((await runFixture('telling')).told, ['one of 1', '  - a reason', 'two of 2'])
})

counting('tests that ran on QEMU are counted', async () => {
  assert.equal((await runFixture('on-qemu')).qemu, ['first', 'second'])
})

counting.run()

const ending = suite('ending')

ending('a hanging file is killed with all it started, and named', async () => {
  const { result, pids } = await hang(running => running)
  assert.equal(countsOf(result), [0, 1, 0])
  assert.match(result.problems.join(), 'timed out: did not end within 2 s')
  assert.match(result.problems.join(), /process \d+: sleep 1000/)
  for (const pid of pids) assert.is(commandOf(pid), '')
})

ending('a file that is kept alive says that its tests were over', async () => {
  const result = await runFixture('kept-alive')
  assert.equal(countsOf(result), [1, 1, 0])
  assert.match(result.problems.join(), 'its tests were over')
})

ending('an aborted run kills what runs', async () => {
  const stop = new AbortController()
  const { result, pids } = await hang(
    running => {
      stop.abort('SIGINT')
      return running
    },
    { signal: stop.signal, timeoutMs: 60_000 },
  )
  assert.match(result.problems.join(), 'stopped: SIGINT')
  for (const pid of pids) assert.is(commandOf(pid), '')
})

ending('nothing is begun when the time of the whole run is up', async () => {
  const result = await runFixture('passing', { timeoutMs: 0 })
  assert.equal(countsOf(result), [0, 1, 0])
  assert.match(result.problems.join(), 'not started')
})

ending('a test file has a directory of its own, short enough for sockets', async () => {
  await withTempDir(async dir => {
    const before = process.env.TMPDIR
    const long = `${dir}/${'long'.repeat(20)}`
    mkdirSync(long)
    process.env.TMPDIR = long
    try {
      const result = await runFixture('leaves-files')
      const socket = result.problems.find(problem => problem.includes('socket')) ?? ''
      assert.ok(socket.length < 60, socket)
    } finally {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    }
  })
})

ending.run()

/** Runs the hanging fixture; once it hangs `then` is called. Gives the numbers of the fixture's three processes, too. */
async function hang(
  then: (running: Promise<FileResult>) => Promise<FileResult>,
  options: Partial<RunOptions> = {},
): Promise<{ result: FileResult; pids: string[] }> {
  return withTempDir(async dir => {
    process.env.FIXTURE_MARK = `${dir}/mark`
    const running = runFixture('hanging', options)
    // It may be there, and empty still.
    const pids = await eventually(() => {
      const found = readFileSync(`${dir}/mark`, 'utf8').split(' ')
      return found.length === 3 && found
    })
    delete process.env.FIXTURE_MARK
    return { result: await then(running), pids }
  })
}

// Empty for a process that has ended, even while nobody has collected it.
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // ENOENT or ESRCH: gone.
    return ''
  }
}
