// @timeout 120
import { once } from 'node:events'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { plantImage } from '../examples/stand-in-image.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { finish, guest, withShell } from './boxledger.ts'

const test = suite('command: logs')

test('of the command, else of the guest; all, the last lines, or what comes', () =>
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
    await eventually(async () => /guest: idle$/.test(await ok('console', 'b')))
    assert.is(await ok('logs', 'b'), await ok('console', 'b'))
  }))

test.run()
