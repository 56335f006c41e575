// @timeout 120
import type { BoxInfo, SnapshotInfo } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { errorIn, guest, withShell } from './boxledger.ts'

const test = suite('command: snapshots')

const create = ['create', '--name', 'it', '--memory', '64', ...guest('tick')]

test('a box is saved, listed, restored, cloned, and all of it removed', () =>
  withShell(async ({ ok, json, info, run }) => {
    await ok(...create)
    await ok('start', 'it')
    assert.is(await ok('snapshot', 'create', 'it', 'one'), 'one')
    const made = await json<SnapshotInfo>('snapshot', 'create', 'it')
    const table = (await ok('snapshot', 'ls', 'it')).split('\n')
    assert.match(table[0] ?? '', /^NAME +AGE +VERSION +SIZE +VMM$/)
    assert.match(table[1] ?? '', /^one +\d+s +\d+ +64\.0 MiB +53\./)
    assert.is(table.length, 3)
    assert.equal((await json<SnapshotInfo[]>('snapshot', 'ls', 'it'))[1], made)
    const { code, stderr } = await run('snapshot', 'restore', 'it', 'one')
    assert.is(code, 4, stderr)
    await ok('stop', '-t', '0', 'it')
    assert.is(await ok('snapshot', 'restore', 'it', 'one'), 'it')
    assert.is((await info('it')).state, 'running')
    const id = await ok('clone', '--name', 'other', '--snapshot', 'one', 'it')
    assert.is((await info('other')).id, id)
    const clone = await json<BoxInfo>('clone', 'it')
    assert.is(clone.state, 'running')
    assert.is(await ok('snapshot', 'rm', 'it', 'one'), 'one')
    assert.equal(await json('snapshot', 'rm', 'it', made.name), [])
    assert.match(await ok('log', 'it'), /snapshot\.committed +.*one, \d+ bytes/)
  }))

test('what is not there is said', () =>
  withShell(async ({ ok, run }) => {
    await ok(...create)
    const cases: readonly [number, string, ...string[]][] = [
      [3, 'NOT_FOUND', 'snapshot', 'ls', 'none'],
      [3, 'NOT_FOUND', 'snapshot', 'rm', 'it', 'one'],
      [3, 'NOT_FOUND', 'snapshot', 'restore', 'it', 'one'],
      [4, 'INVALID_STATE', 'snapshot', 'create', 'it', 'one'],
      [2, 'INVALID_ARGUMENT', 'snapshot', 'create', 'it', '../one'],
      [4, 'INVALID_STATE', 'clone', 'it'],
      [2, 'INVALID_ARGUMENT', 'snapshot'],
      [2, 'INVALID_ARGUMENT', 'snapshot', 'restore', 'it'],
      [2, 'INVALID_ARGUMENT', 'snapshot', 'nonsense', 'it'],
    ]
    for (const [code, name, ...words] of cases) {
      const result = await run('--json', ...words)
      assert.is(result.code, code, `${words.join(' ')}: ${result.stderr}`)
      assert.is(errorIn(result).code, name, words.join(' '))
    }
  }))

test.run()
