import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
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
