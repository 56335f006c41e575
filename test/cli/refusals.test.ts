import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { BoxInfo, VerifyReport } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { cmdline, errorIn, firstOutput, guest, withShell } from './boxledger.ts'

const test = suite('command: refusals')

const mistakes: readonly (readonly string[])[] = [
  [],
  ['fly'],
  ['start'],
  ['ls', '--colour'],
  ['ls', 'web'],
  ['create', '--cpus', 'many'],
  ['create', '--cpus', '0'],
  ['create', '--memory', '1.5'],
  ['create', '--name', '-x'],
  ['create', '--label', 'novalue'],
  ['create', '--ready', 'soon'],
  ['create', '--restart', 'always:2'],
  ['create', '--restart', 'always', '--rm'],
  ['create', '--ready', 'console=('],
  ['create', '--image', 'a', '--kernel', 'b'],
  ['create', '-w', 'relative'],
  ...[['create'], ['run'], ['run', '-d']].flatMap(verb => [
    [...verb, '--cmdline', 'x'],
    [...verb, '--secret', 'NO_SUCH_VARIABLE'],
    [...verb, '--health-interval', '3s'],
  ]),
  ['stop', 'web', '-t', 'soon'],
  ['stop', 'web', '--force', '--kill'],
  ['rename', 'web'],
  ['resolve', 'web'],
  ['log', '--from', '0'],
  ['log', '--type', 'nonsense'],
  ['log', '--type', 'vmm.exited', '--type', 'vmm.left'],
]

test('2: what cannot be understood', () =>
  withShell(async ({ run }) => {
    for (const args of mistakes) {
      const result = await run('--json', ...args)
      assert.equal([args, result.code, result.stdout], [args, 2, ''])
      assert.is(errorIn(result).code, 'INVALID_ARGUMENT')
    }
  }))

test('1: what has no agent, what cannot boot', () =>
  withShell(async ({ run, info }) => {
    const inside = await run('--json', 'run', ...guest('idle'), '--', 'true')
    assert.equal([inside.code, errorIn(inside).code], [1, 'UNSUPPORTED'])
    const broken = await run('--json', 'run', '-d', '--name', 'b', '--kernel', '/no/such/kernel')
    assert.equal([broken.code, broken.stdout, errorIn(broken).code], [1, '', 'BOOT_FAILED'])
    assert.is((await info('b')).state, 'failed')
  }))

test('3: no such box', () =>
  withShell(async ({ run }) => {
    for (const args of [
      ...['start', 'stop', 'restart', 'pause', 'resume', 'wait', 'rm', 'inspect', 'console', 'log'].map(
        verb => [verb, 'nobody'],
      ),
      ['rename', 'nobody', 'somebody'],
      ['resolve', 'nobody', '--dead'],
    ]) {
      const result = await run('--json', ...args)
      assert.equal([args[0], result.code, result.stdout], [args[0], 3, ''])
      assert.is(errorIn(result).code, 'NOT_FOUND')
    }
  }))

test('3: a part of an ID is not enough to remove, rename or resolve', () =>
  withShell(async ({ ok, run }) => {
    const part = (await ok('create')).slice(0, 6)
    await ok('inspect', part)
    assert.is((await run('rm', part)).code, 3)
    assert.is((await run('rename', part, 'x')).code, 3)
    assert.is((await run('resolve', part, '--dead')).code, 3)
  }))

test('4: taken names and wrong states, with a hint', () =>
  withShell(async ({ ok, run }) => {
    await ok('run', '-d', '--name', 'a', ...guest('idle'))
    const taken = await run('--json', 'create', '--name', 'a')
    assert.equal([taken.code, errorIn(taken).code], [4, 'NAME_TAKEN'])
    const up = await run('rm', 'a')
    assert.is(up.code, 4)
    assert.match(up.stderr, /^boxledger: .*\nhint: .*rm -f\n$/)
    assert.is((await run('resolve', 'a', '--dead')).code, 4)
    await ok('create', '--name', 'b')
    assert.is((await run('pause', 'b')).code, 4)
  }))

test('several boxes: all are tried, 1 if one failed', () =>
  withShell(async ({ ok, run }) => {
    await ok('create', '--name', 'a', ...guest('idle'))
    await ok('create', '--name', 'b', ...cmdline('boxledger.init'))
    const { code, stdout, stderr } = await run('start', 'a', 'nobody', 'b')
    assert.equal([code, stdout], [1, 'a\nb\n'])
    assert.match(stderr, /^boxledger: nobody: /)
  }))

test('5: a ledger that is damaged, or gone', () =>
  withShell(async ({ home, ok, run }) => {
    await ok('create', '--name', 'a')
    writeFileSync(`${home}/ledger.tail`, 'nonsense')
    const report = await run('--json', 'verify')
    assert.is(report.code, 5)
    assert.is((JSON.parse(report.stdout) as VerifyReport).ok, false)
    assert.is(report.stderr, '')

    rmSync(`${home}/ledger`, { recursive: true })
    const gone = await run('--json', 'ls')
    assert.equal([gone.code, errorIn(gone).code], [5, 'LEDGER_CORRUPT'])
    rmSync(home, { recursive: true })
  }))

test('6: a home whose owner does not answer, after some patience; it is taken over when that is dead', () =>
  withShell(async ({ home, start, run, ok, json }) => {
    const owner = start('serve')
    await firstOutput(owner)
    owner.kill('SIGSTOP')
    const result = await run('--json', 'ls')
    owner.kill('SIGCONT')
    assert.is(result.code, 6)
    assert.is(errorIn(result).code, 'ENGINE_LOCKED')
    assert.is(errorIn(result).details.pid, owner.pid)
    // It has kept its home, and goes on.
    await ok('create', '--name', 'a')
    assert.is(JSON.parse(readFileSync(`${home}/lock`, 'utf8')).pid, owner.pid)
    owner.kill('SIGSTOP')
    const ended = once(owner, 'exit')
    owner.kill('SIGKILL')
    await ended
    // Its death is proven: what it left, its socket among it, is in nobody's way.
    assert.ok(existsSync(`${home}/owner.sock`))
    const began = performance.now()
    assert.is(await ok('ls', '-a', '-q'), (await json<BoxInfo[]>('inspect', 'a'))[0]?.id)
    assert.ok(performance.now() - began < 8_000, 'there is nothing to wait for')
    assert.not(existsSync(`${home}/owner.sock`))
    assert.is((await json<VerifyReport>('verify', '--replay')).ok, true)
  }))

test.run()
