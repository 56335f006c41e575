// @timeout 120
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { finish, guest, withShell } from './boxledger.ts'

const test = suite('command: stats')

test('a table, or NDJSON, of what is up or named; once where nobody watches', () =>
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

test.run()
