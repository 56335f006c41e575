// @timeout 300
// @idle
import { spawn } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { finish, firstOutput, guest, main, withShell } from './boxledger.ts'

const test = suite('command: the owner and the others')

test('serve owns the home, serves commands and programs, and ends well with its signal', () =>
  withShell(async ({ home, start, ok, info }) => {
    const owner = start('serve')
    const ended = finish(owner)
    await firstOutput(owner)
    const lock = () => JSON.parse(readFileSync(`${home}/lock`, 'utf8')).pid
    assert.is(lock(), owner.pid)
    await ok('run', '-d', '--name', 'a', ...guest('tick'))
    const log = start('--json', 'log', '--follow')
    const logged = finish(log)
    await firstOutput(log)
    await using program = await BoxRuntime.connect({ home })
    await program.rename('a', 'b')
    const { pid } = await info('b')
    assert.match(await ok('console', 'b'), /guest: hello/)
    await ok('pause', 'b')
    assert.is((await program.getInfo('b'))?.state, 'paused')
    assert.is(lock(), owner.pid)

    owner.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    assert.equal([code, stdout, stderr], [0, 'serving 0 boxes\n', ''])
    // Whoever follows the log owns the home now, and serves.
    await eventually(() => lock() === log.pid)
    await ok('resume', 'b')
    assert.is((await info('b')).pid, pid)
    await ok('rm', '-f', 'b')
    log.kill('SIGINT')
    const end = await logged
    assert.equal([end.code, end.stderr], [130, ''])
    const records = end.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as LedgerRecord)
    assert.equal(
      records.map(({ position }) => position),
      records.map((_, n) => n + 1),
    )
    assert.is(records.at(-1)?.event.type, 'box.removed')
  }))

test('paths are those of the directory in which a command is given', () =>
  withShell(async ({ home, start, info, ok }) => {
    const owner = start('serve')
    const ended = finish(owner)
    await firstOutput(owner)
    const args = ['create', '--name', 'a', '--kernel', './k', '--initramfs', 'i']
    const child = spawn(process.execPath, [main, '--home', basename(home), ...args], {
      cwd: dirname(home),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    assert.is((await finish(child)).code, 0)
    const directory = realpathSync(dirname(home))
    assert.equal((await info('a')).spec.image, { kernel: `${directory}/k`, initramfs: `${directory}/i` })
    await ok('rm', 'a')
    owner.kill('SIGTERM')
    assert.is((await ended).code, 0)
  }))

test('serve with --json says who it is; a second one is told of the first', () =>
  withShell(async ({ start, run }) => {
    const owner = start('--json', 'serve')
    const ended = finish(owner)
    const line = await firstOutput(owner)
    assert.equal(JSON.parse(line), { pid: owner.pid, boxes: 0 })
    const second = await run('serve')
    assert.is(second.code, 6)
    owner.kill('SIGINT')
    assert.is((await ended).code, 0)
  }))

test('50 commands of 50 processes at once, without an owner', () =>
  withShell(async ({ run, ok, json }) => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => run('create', '--name', `n${n}`)))
    assert.equal(
      results.map(({ code, stderr }) => `${code} ${stderr}`),
      results.map(() => '0 '),
    )
    assert.is(new Set(results.map(({ stdout }) => stdout)).size, 50)
    assert.is((await ok('ls', '-aq')).split('\n').length, 50)
    assert.is((await json<{ records: number }>('verify')).records, 50)
    await ok('rm', ...Array.from({ length: 50 }, (_, n) => `n${n}`))
  }))

test.run()
