import { mkdirSync } from 'node:fs'
import type { ImageInfo } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { cmdline, errorIn, withShell } from './boxledger.ts'

const test = suite('command: images')
const files = cmdline('mode=idle')

test('images are added, listed with their boxes, and removed', () =>
  withShell(async ({ home, ok, json, run }) => {
    assert.match(await ok('images'), /^NAME +KIND +SIZE +AGE +BOXES\nbuiltin +builtin +0 bytes +- +-$/)
    assert.is(await ok('images', 'add', 'mine', ...files), 'mine')
    const id = await ok('create', '--image', 'mine')
    assert.match(await ok('images', 'ls'), new RegExp(`^mine +files +[\\d.]+ KiB +\\d+s +${id}$`, 'm'))
    const [, image] = await json<ImageInfo[]>('images')
    assert.equal([image?.name, image?.boxes], ['mine', [id]])

    const refused = await run('--json', 'images', 'rm', 'mine')
    assert.equal([refused.code, errorIn(refused).details.boxes], [4, [id]])
    await ok('rm', id)
    assert.is(await ok('images', 'rm', 'mine'), 'mine')
    assert.is((await run('images', 'rm', 'mine')).code, 3)

    mkdirSync(`${home}/../root/etc`, { recursive: true })
    assert.is(await ok('images', 'add', 'disk', '--root', `${home}/../root`, '--size', '64'), 'disk')
    assert.match(await ok('images'), /^disk +root +64.0 MiB +\d+s +-$/m)
  }))

test('what cannot be added is refused', () =>
  withShell(async ({ ok, run }) => {
    await ok('images', 'add', 'mine', ...files)
    assert.is((await run('images', 'add', 'mine', ...files)).code, 4)
    assert.is((await run('images', 'add', 'a', '--kernel', '/nowhere')).code, 3)
    assert.is((await run('images', 'add', 'a', ...files, '--disk', '/nowhere,qcow2,readonly')).code, 3)
    assert.is((await run('images', 'add', 'a/b', ...files)).code, 2)
    assert.is((await run('images', 'add', 'builtin', ...files)).code, 2)
    assert.is((await run('images', 'rm', 'builtin')).code, 2)
    assert.is((await run('images', 'add', 'a')).code, 2)
    assert.is((await run('images', 'add')).code, 2)
    assert.is((await run('images', 'add', 'a', ...files, '--root', '/nowhere')).code, 2)
    assert.is((await run('images', 'add', 'a', ...files, '--size', '64')).code, 2)
    assert.is((await run('images', 'add', 'a', '--root', '/nowhere')).code, 3)
    assert.is((await run('images', 'nonsense')).code, 2)
  }))

test.run()
