import { existsSync, readFileSync } from 'node:fs'
import type { BoxInfo } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { cmdline, guest, withShell } from './boxledger.ts'

const test = suite('command: life')

/** A zombie has ended: who reaps it is not our affair. */
const isAlive = (pid = 0): boolean => {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

test('a box is created, started, held, stopped and removed, and outlives every command', () =>
  withShell(async ({ ok, info, home }) => {
    const id = await ok('create', '--name', 'web', ...guest('idle'))
    assert.match(id, /^[0-9a-z]{12}$/)
    assert.is((await info('web')).state, 'configured')

    assert.is(await ok('start', 'web'), 'web')
    const up = await info(id)
    assert.is(up.state, 'running')
    assert.ok(isAlive(up.pid))

    assert.is(await ok('pause', id.slice(0, 4)), id.slice(0, 4))
    assert.is((await info('web')).state, 'paused')
    await ok('resume', 'web')
    assert.is((await info('web')).pid, up.pid)

    assert.is(await ok('stop', '--force', 'web'), 'web')
    const down = await info('web')
    assert.is(down.state, 'stopped')
    assert.is(down.ending?.cause, 'requested')
    assert.not(isAlive(up.pid))

    assert.is(await ok('rm', 'web'), 'web')
    assert.is(await ok('ls', '-aq'), '')
    assert.not(existsSync(`${home}/boxes/${id}`))
  }))

test('run -d creates and starts; restart gives a new VMM; rm -f ends it', () =>
  withShell(async ({ ok, info }) => {
    const id = await ok('run', '-d', '--name', 'a', ...cmdline('boxledger.init'))
    const before = await info(id)
    assert.is(before.state, 'running')
    await ok('restart', 'a')
    const after = await info('a')
    assert.is(after.incarnation, 2)
    assert.is.not(after.pid, before.pid)
    assert.not(isAlive(before.pid))
    assert.is(await ok('rm', '-f', 'a'), 'a')
    assert.not(isAlive(after.pid))
  }))

test('the flags of create are what the box is made with', () =>
  withShell(async ({ json }) => {
    const flags =
      '--name n --cpus 2 --memory 512 --rm --label a=b --label c=d=e -e X=1 -e Y= -w /tmp -u me:us'
    const made = await json<BoxInfo>(
      ...['create', ...flags.split(' '), '--ready', 'console=up.*', '--', 'sh', '-c', 'exit 3', '--json'],
    )
    assert.is(made.name, 'n')
    assert.equal(made.labels, { a: 'b', c: 'd=e' })
    const { cpus, memoryMib, autoRemove, env, workdir, user, ready, command } = made.spec
    assert.equal([cpus, memoryMib, autoRemove, workdir, user], [2, 512, true, '/tmp', 'me:us'])
    assert.equal(env, { X: '1', Y: '' })
    assert.equal(ready, { console: 'up.*' })
    assert.equal(command, ['sh', '-c', 'exit 3', '--json'])
  }))

test('wait ends with 0 for a box that powered off, with 1 for one that crashed', () =>
  withShell(async ({ ok, run, info }) => {
    await ok('run', '-d', '--name', 'off', ...guest('off'))
    assert.equal(await run('wait', 'off'), { code: 0, stdout: '0\n', stderr: '' })
    await ok('run', '-d', '--name', 'crash', ...guest('idle'))
    process.kill((await info('crash')).pid ?? 0, 'SIGKILL')
    assert.equal(await run('wait', 'crash'), { code: 1, stdout: '1\n', stderr: '' })
    assert.equal(await run('wait', 'off', 'crash'), { code: 1, stdout: '0\n1\n', stderr: '' })
  }))

test('--rm: the box goes when it is down', () =>
  withShell(async ({ ok }) => {
    await ok('run', '-d', '--rm', '--name', 'gone', ...guest('idle'))
    await ok('stop', '--kill', 'gone')
    assert.is(await ok('ls', '-aq'), '')
  }))

test('a renamed box is found by its new name only', () =>
  withShell(async ({ ok, run }) => {
    await ok('create', '--name', 'old')
    assert.is(await ok('rename', 'old', 'new'), 'new')
    assert.is((await run('inspect', 'old')).code, 3)
    await ok('inspect', 'new')
  }))

test('the time of a graceful stop is in seconds', () =>
  withShell(async ({ ok, info }) => {
    await ok('run', '-d', '--name', 'deaf', ...guest('idle'))
    const began = performance.now()
    await ok('stop', '-t', '0.2', 'deaf')
    assert.ok(performance.now() - began < 5_000)
    assert.is((await info('deaf')).state, 'stopped')
  }))

test('commands at once take turns', () =>
  withShell(async ({ ok, run }) => {
    const results = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(name => run('create', '--name', name)))
    assert.equal(
      results.map(({ code }) => code),
      [0, 0, 0, 0, 0],
    )
    assert.is((await ok('ls', '-aq')).split('\n').length, 5)
  }))

test.run()
