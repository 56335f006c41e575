import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageInfo } from 'boxledger'
import * as assert from 'uvu/assert'
import { plantImage } from '../examples/stand-in-image.ts'
import { suite } from '../support/suite.ts'
import { cmdline, errorIn, withShell } from './boxledger.ts'

const test = suite('command: images')
const files = cmdline('mode=idle')

test('images are added, listed with their boxes, and removed', () =>
  withShell(async ({ home, ok, json, run }) => {
    assert.match(
      await ok('images'),
      /^NAME +KIND +SIZE +AGE +TEMPLATES +BOXES\nbuiltin +builtin +0 bytes +- +- +-$/,
    )
    assert.is(await ok('images', 'add', 'mine', ...files), 'mine')
    const id = await ok('create', '--image', 'mine')
    assert.match(await ok('images', 'ls'), new RegExp(`^mine +files +[\\d.]+ KiB +\\d+s +- +${id}$`, 'm'))
    const [, image] = await json<ImageInfo[]>('images')
    assert.equal([image?.name, image?.boxes], ['mine', [id]])

    const refused = await run('--json', 'images', 'rm', 'mine')
    assert.equal([refused.code, errorIn(refused).details.boxes], [4, [id]])
    await ok('rm', id)
    assert.is(await ok('images', 'rm', 'mine'), 'mine')
    assert.is((await run('images', 'rm', 'mine')).code, 3)

    mkdirSync(`${home}/../root/etc`, { recursive: true })
    assert.is(await ok('images', 'add', 'disk', '--root', `${home}/../root`, '--size', '64'), 'disk')
    assert.match(await ok('images'), /^disk +root +64.0 MiB +\d+s +- +-$/m)
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

test('a template is made, listed and used; one that is not used says why', () =>
  withShell(async ({ home, ok, json, run }) => {
    mkdirSync(home, { mode: 0o700 })
    await plantImage(home)
    assert.is(await ok('images', 'template', 'builtin', '--memory', '64'), '1x64')
    assert.match(await ok('images'), /^builtin +builtin +\S+ \S+ +\S+ +1x64 +-$/m)
    const [image] = await json<ImageInfo[]>('images')
    const [made] = image?.templates ?? []
    assert.equal([made?.cpus, made?.memoryMib, made?.fits], [1, 64, true])
    assert.equal(await json('images', 'template', 'builtin', '--memory', '64'), made)
    await ok('create', '--name', 'it', '--memory', '64')
    await ok('start', 'it')
    assert.match(await ok('log', 'it'), /start\.stage .*spawning, from template \w{12} of builtin/)
    await ok('stop', 'it')

    const manifest = join(home, 'images', '.templates', 'builtin', '1x64', 'template.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"program":"', '"program":"other '))
    assert.match(await ok('images'), /1x64! +\S+\nbuiltin 1x64! .*the VMM here is/)
    await ok('start', 'it')
    assert.match(await ok('log', 'it'), /spawning, without a template: UNSUPPORTED: /)
    assert.is(await ok('images', 'template', 'builtin', '--rm'), 'builtin')
    assert.match(await ok('images'), /^builtin +builtin +\S+ \S+ +\S+ +- +/m)
    assert.is((await run('images', 'template', 'builtin', '--rm', '--cpus', '1')).code, 2)
    assert.is((await run('images', 'template')).code, 2)
    assert.is((await run('images', 'template', 'none')).code, 3)
    assert.is((await run('images', 'template', 'builtin', '--memory', 'x')).code, 2)
  }))

test.run()
