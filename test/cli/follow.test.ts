import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { plantImage } from '../examples/stand-in-image.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { finish, guest, main, withShell } from './boxledger.ts'

const test = suite('command: following')

const ownedBy = (home: string, pid: number | undefined): Promise<unknown> =>
  eventually(() => JSON.parse(readFileSync(`${home}/lock`, 'utf8')).pid === pid, { what: 'the owner' })

for (const [name, args] of [
  ['log', ['log', '--follow']],
  ['console', ['console', '--follow', 'a']],
  ['stats', ['stats', '--follow']],
  ['wait', ['wait', 'a']],
] as const)
  test(`SIGINT ends ${name} with 130 and frees the home`, () =>
    withShell(async ({ home, ok, start }) => {
      await ok('run', '-d', '--name', 'a', ...guest('tick'))
      const child = start(...args)
      const ended = finish(child)
      // Nothing is printed by wait: the lock tells that it has the home.
      await (name === 'wait' ? ownedBy(home, child.pid) : once(child.stdout as NodeJS.EventEmitter, 'data'))
      child.kill('SIGINT')
      const { code, stderr } = await ended
      assert.equal([code, stderr], [130, ''])
      await ok('ls')
    }))

test('console --follow goes on until the box is down', () =>
  withShell(async ({ ok }) => {
    await ok('run', '-d', '--name', 'a', ...guest('late'))
    assert.match(await ok('console', '-f', 'a'), /guest: poweroff$/)
  }))

test('stats: a table, or NDJSON, of what is up or named; once where nobody watches', () =>
  withShell(async ({ ok, run, start }) => {
    await ok('run', '-d', '--name', 'a', '--memory', '128', ...guest('idle'))
    await ok('create', '--name', 'b')
    const cells = (text: string) => text.split('\n').map(line => line.split(/ {3,}/))
    const [head, ...rows] = cells(await ok('stats'))
    assert.equal(head?.slice(1), [
      ...['NAME', 'STATE', 'CPU', 'MEMORY', 'GUEST', 'DISK R / W', 'NET IN / OUT', 'EXECS', 'RESTARTS'],
    ])
    assert.is(rows.length, 1)
    const [, name, state, cpu, memory, ...rest] = rows[0] ?? []
    assert.equal(
      [name, state, ...rest],
      ['a', 'running', '128.0 MiB', '0 bytes / 0 bytes', '0 bytes / 0 bytes', '0', '0'],
    )
    assert.match(cpu ?? '', /^\d+\.\d %$/)
    assert.match(memory ?? '', /^\d+\.\d MiB$/)
    assert.equal(
      cells(await ok('stats', 'b')).map(row => row.slice(1, 7)),
      [(head ?? []).slice(1, 7), ['b', 'configured', '-', '-', '-', '-']],
    )
    const [a, b] = (await ok('--json', 'stats', 'a', 'b')).split('\n').map(line => JSON.parse(line))
    assert.equal([a.name, a.state, b.name, b.state], ['a', 'running', 'b', 'configured'])
    assert.is(a.memory.guestBytes, 128 * 1024 * 1024)
    assert.is((await run('stats', 'none')).code, 3)

    const watching = start('--json', 'stats', '-f', 'a')
    const ended = finish(watching)
    await once(watching.stdout as NodeJS.EventEmitter, 'data')
    await ok('rm', '-f', 'a')
    const { code, stdout } = await ended
    assert.is(code, 0, 'it ends with the last box')
    for (const line of stdout.trimEnd().split('\n')) assert.is(JSON.parse(line).name, 'a')
  }))

test('logs: of the command, else of the guest; all, the last lines, or what comes', () =>
  withShell(async ({ home, ok, run, start }) => {
    mkdirSync(home, { mode: 0o700 })
    await plantImage(home)
    const id = await ok('run', '-d', '--name', 'a', '--', 'it')
    const file = `${home}/boxes/${id}/1/command.log`
    writeFileSync(file, 'one\ntwo\nthree\n')
    assert.is((await run('logs', 'a')).stdout, 'one\ntwo\nthree\n')
    assert.is((await run('logs', '--tail', '2', 'a')).stdout, 'two\nthree\n')
    assert.is((await run('logs', '-n', 'all', 'a')).stdout, 'one\ntwo\nthree\n')
    assert.is((await run('logs', '-n', '-1', 'a')).code, 2)
    assert.is((await run('logs', 'none')).code, 3)
    const following = start('logs', '-f', '-n', '1', 'a')
    const ended = finish(following)
    await once(following.stdout as NodeJS.EventEmitter, 'data')
    appendFileSync(file, 'four\n')
    await once(following.stdout as NodeJS.EventEmitter, 'data')
    await ok('stop', '--kill', 'a')
    assert.equal(await ended, { code: 0, stdout: 'three\nfour\n', stderr: '' })
    await ok('run', '-d', '--name', 'b', ...guest('idle'))
    assert.is(await ok('logs', 'b'), await ok('console', 'b'))
  }))

test('a reader that went away is no failure', () =>
  withShell(async ({ home, ok }) => {
    await ok('create', '--name', 'a')
    const script = `"$1" "$2" --home "$3" log | true; echo $PIPESTATUS`
    const { stdout, stderr } = await promisify(execFile)('bash', [
      ...['-c', script, 'bash', process.execPath, main, home],
    ])
    assert.equal([stdout, stderr], ['0\n', ''])
  }))

test.run()
