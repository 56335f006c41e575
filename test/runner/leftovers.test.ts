import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { mountsBelow } from './mounts.ts'
import { pickMarked } from './processes.ts'
import { countsOf, runFixture } from './run-fixture.ts'

const leftovers = suite('leftovers')

leftovers('files and sockets are named and deleted', async () => {
  const result = await runFixture('leaves-files')
  const named = result.problems.join('\n')
  for (const what of [
    /directory \S+\/deep$/m,
    /file \S+\/deep\/file$/m,
    /file \S+\/at-home$/m,
    /socket \S+\/socket$/m,
  ]) {
    assert.match(named, what)
  }
  assert.equal(
    readdirSync(tmpdir()).filter(name => name.startsWith('bl-')),
    [],
  )
})

leftovers('processes are named and killed', async () => {
  const result = await runFixture('leaves-processes')
  assert.equal(countsOf(result), [2, 1, 0])
  assert.match(result.problems.join('\n'), /process \d+: sleep 1001/)
  assert.match(result.problems.join('\n'), /process \d+: sh -c sleep 1002/)
  assert.match(result.problems.join('\n'), /process \d+: sleep 1002$/m)
})

leftovers('a process that is just ending is no leftover', async () => {
  assert.equal((await runFixture('dies-late')).problems, [])
})

if (canMount()) {
  leftovers('mounts are named and taken away', async () => {
    const result = await runFixture('leaves-mount')
    assert.equal(countsOf(result), [1, 1, 0])
    assert.match(result.problems.join('\n'), /mount \S+\/a mount/)
    assert.not.match(result.problems.join('\n'), 'inside')
  })
} else {
  console.log('SKIP mounts are named and taken away: this user may not mount')
  leftovers.skip('mounts are named and taken away')
}

leftovers('mount points are read with their escapes, innermost first', () => {
  const line = (point: string): string => `36 35 98:0 / ${point} rw,noatime master:1 - ext4 /dev/root rw`
  const text = ['/', '/tmp/x', '/tmp/x/a\\040b', '/tmp/xy'].map(line).join('\n')
  assert.equal(mountsBelow('/tmp/x', text), ['/tmp/x/a b', '/tmp/x'])
})

leftovers('a process belongs by the id or a run within it, or by the directory', () => {
  const by = (environ: string, cmdline = ''): boolean =>
    pickMarked(mark, [{ pid: 5, parent: 1, session: 5, environ, cmdline }]).length === 1
  const mark = { id: 'r.1', dir: '/tmp/bl-abc' }
  assert.ok(by('A=1\0BOXLEDGER_TEST_RUN=r.1\0B=2'))
  assert.ok(by('BOXLEDGER_TEST_RUN=r.1'))
  assert.ok(by('BOXLEDGER_TEST_RUN=r.1.5-x.2\0'))
  assert.ok(by('', 'qemu\0-chardev\0socket,path=/tmp/bl-abc/s\0'))
  assert.not(by('BOXLEDGER_TEST_RUN=r.10\0'))
  assert.not(by('XBOXLEDGER_TEST_RUN=r.1\0'))
  assert.not(by('', 'cat\0/tmp/bl-abcd/s\0'))
})

leftovers('so do its descendants, and who shares a session with it', () => {
  const entry = (pid: number, parent: number, session: number, environ = '') => ({
    pid,
    parent,
    session,
    environ,
    cmdline: 'sleep',
  })
  const all = [
    entry(9, 8, 9),
    entry(8, 7, 8),
    entry(7, 1, 7, 'BOXLEDGER_TEST_RUN=r.1'),
    entry(6, 1, 7),
    entry(5, 1, 4),
    entry(3, 1, 3),
  ]
  const picked = pickMarked({ id: 'r.1', dir: '/tmp/bl-abc', leader: 4 }, all)
  assert.equal(picked.map(({ pid }) => pid).sort(), [5, 6, 7, 8, 9])
})

leftovers.run()

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'probe', tmpdir()], { stdio: 'ignore' })
    return true
  } catch {
    // Not allowed, or no such tools: either way there is nothing to test.
    return false
  }
}
