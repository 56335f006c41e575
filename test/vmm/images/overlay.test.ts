import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { writeCpio } from '../../../src/vmm/images/cpio.ts'
import { boxInitramfs } from '../../../src/vmm/images/overlay.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { codeOf, imageError } from './codes.ts'
import { nastyValues } from './nasty-values.ts'
import { readCpio } from './read-cpio.ts'

const overlay = suite('overlay')

const base = writeCpio([{ type: 'file', path: 'init', data: Buffer.from('#!/bin/sh\n') }])

overlay('adds a second archive with every byte of what was given', () =>
  withTempDir(async dir => {
    const from = join(dir, 'base')
    const target = join(dir, 'box')
    writeFileSync(from, base)
    chmodSync(from, 0o644)
    const env = Object.fromEntries(nastyValues.map((value, i) => [`V${i}.x-y`, value]))
    await boxInitramfs({
      base: from,
      target,
      command: ['run', ...nastyValues],
      env,
      workdir: '/a b\n',
      user: '1000:tty',
    })

    const [first, second, ...more] = readCpio(readFileSync(target))
    assert.is(more.length, 0)
    assert.equal(
      first?.map(entry => entry.path),
      ['init'],
    )
    assert.equal(
      second?.map(entry => [entry.path, entry.mode.toString(8), entry.data.toString().split('\0')]),
      [
        ['box', '40700', ['']],
        ['box/command', '100600', ['run', ...nastyValues, '']],
        ['box/env', '100600', [...nastyValues.map((value, i) => `V${i}.x-y=${value}`), '']],
        ['box/workdir', '100600', ['/a b\n', '']],
        ['box/user', '100600', ['1000:tty', '']],
      ],
    )
    assert.is(statSync(target).mode & 0o777, 0o600)
    assert.ok(readFileSync(from).equals(base))
    assert.equal(readdirSync(dir).sort(), ['base', 'box'])
  }),
)

overlay('the second archive starts at a multiple of 4, whatever the first ends at', () =>
  withTempDir(async dir => {
    for (let rest = 0; rest < 4; rest++) {
      const from = join(dir, `base-${rest}`)
      const target = join(dir, `box-${rest}`)
      writeFileSync(from, Buffer.concat([base, Buffer.alloc(rest)]))
      await boxInitramfs({ base: from, target, command: ['true'] })
      assert.is(readCpio(readFileSync(target)).length, 2)
    }
  }),
)

overlay('without a command nothing is run; an older file and an older draft are replaced', () =>
  withTempDir(async dir => {
    const from = join(dir, 'base')
    const target = join(dir, 'box')
    writeFileSync(from, base)
    writeFileSync(target, 'old')
    writeFileSync(`${target}.draft`, 'cut off')
    await boxInitramfs({ base: from, target, env: { A: 'b' } })
    assert.equal(readCpio(readFileSync(target))[1], [])
    assert.equal(readdirSync(dir).sort(), ['base', 'box'])
  }),
)

overlay('what cannot be passed on is refused, naming the field', () =>
  withTempDir(async dir => {
    const from = join(dir, 'base')
    writeFileSync(from, base)
    const cases = [
      ['command', { command: [] }],
      ['command', { command: [''] }],
      ['command', { command: ['a\0b'] }],
      ['env', { command: ['a'], env: { '': 'x' } }],
      ['env', { command: ['a'], env: { 'A=B': 'x' } }],
      ['env', { command: ['a'], env: { A: '\0' } }],
      ['workdir', { command: ['a'], workdir: 'relative' }],
      ['user', { command: ['a'], user: '' }],
      ['user', { command: ['a'], user: 'a:b:c' }],
      ['user', { command: ['a'], user: '-x' }],
      ['user', { command: ['a'], user: 'a\nroot' }],
    ] as const
    for (const [field, options] of cases) {
      const error = await imageError(() => boxInitramfs({ base: from, target: join(dir, 'box'), ...options }))
      assert.is(error.code, 'INVALID_ARGUMENT')
      assert.is(error.details.field, field)
    }
    assert.equal(readdirSync(dir), ['base'])
  }),
)

overlay('a base that is missing is told by name and leaves nothing', () =>
  withTempDir(async dir => {
    const base = join(dir, 'nowhere')
    assert.is(
      await codeOf(() => boxInitramfs({ base, target: join(dir, 'box'), command: ['a'] })),
      'BOOT_FAILED',
    )
    assert.equal(readdirSync(dir), [])
  }),
)

overlay.run()
