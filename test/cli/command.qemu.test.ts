// @timeout 300
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'
import { withShell } from './boxledger.ts'

const test = suite('command: main commands')

const emulator = fileURLToPath(new URL('../../src/vmm/emulator/main.js', import.meta.url))

needsQemu(test, 'wait prints and gives the exit code of the main command, also when nobody looked', () =>
  withShell(async ({ home, ok, run, info }) => {
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    mkdirSync(home, { mode: 0o700 })
    symlinkSync(testImages(), `${home}/images`)
    await ok('run', '-d', '--name', 'a', '-e', 'CODE=3', '--', 'sh', '-c', 'echo to "$0"; exit $CODE', 'you')
    assert.equal(await run('wait', 'a'), { code: 3, stdout: '3\n', stderr: '' })
    assert.is((await info('a')).ending?.exitCode, 3)
    assert.match(await ok('console', 'a'), /^to you\r?$/m)

    await ok('start', 'a')
    const { code } = await run('wait', 'a', 'a')
    assert.is(code, 1)
  }, `${process.execPath} ${emulator}`),
)

needsQemu(test, 'cp takes files into a box and out of it', () =>
  withShell(async ({ home, ok, run }) => {
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    mkdirSync(home, { mode: 0o700 })
    symlinkSync(testImages(), `${home}/images`)
    await ok('create', '--name', 'a')
    const file = `${home}/../file`
    writeFileSync(file, 'there and back')
    assert.is(await ok('cp', file, 'a:/srv/'), 'a:/srv/')
    await ok('cp', 'a:/srv/file', `${file}.back`)
    assert.is(readFileSync(`${file}.back`, 'utf8'), 'there and back')
    assert.is((await run('cp', 'a:/srv/none', home)).code, 3)
    assert.is((await run('cp', 'none:/srv', home)).code, 3)
    assert.is((await run('cp', file, file)).code, 2)
    assert.is((await run('cp', 'a:/x', 'a:/y')).code, 2)
    await ok('rm', '-f', 'a')
  }, `${process.execPath} ${emulator}`),
)

test.run()
