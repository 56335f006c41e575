import { writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { guest, withShell } from './boxledger.ts'

const test = suite('command: hints')

test('what was not found is listed where the hint says, and what no list has gets none', () =>
  withShell(async ({ ok, run }) => {
    const id = await ok('create', '--name', 'it', ...guest('idle'))
    const cases: readonly [string | undefined, ...string[]][] = [
      ['boxledger ls -a', 'start', 'nobody'],
      ['boxledger ls -a', 'show', 'nobody'],
      ['boxledger ls -a', 'show', 'nobody', '--at', '1'],
      [`boxledger snapshot ls ${id}`, 'snapshot', 'rm', 'it', 'none'],
      ['boxledger subscriptions', 'subscriptions', 'rm', 'none'],
      [undefined, 'show', 'it', '--at', '99'],
      [undefined, 'why', '99'],
      [undefined, 'images', 'rm', 'none'],
      [undefined, 'images', 'add', 'mine', '--kernel', '/no/such/kernel'],
    ]
    for (const [list, ...words] of cases) {
      const { code, stderr } = await run(...words)
      assert.is(code, 3, `${words.join(' ')}: ${stderr}`)
      const hint = /^hint: (.*)$/m.exec(stderr)?.[1]
      assert.is(hint?.split(' lists ')[0], list, words.join(' '))
      if (list !== undefined) await ok(...list.split(' ').slice(1))
    }
  }))

test('a taken name of a snapshot or an image is no box that could be renamed', () =>
  withShell(async ({ ok, run }) => {
    await ok('run', '-d', '--name', 'it', ...guest('idle'))
    await ok('snapshot', 'create', 'it', 'one')
    const add = ['images', 'add', 'mine', ...guest('idle')]
    await ok(...add)
    for (const words of [['snapshot', 'create', 'it', 'one'], add]) {
      const { code, stderr } = await run(...words)
      assert.is(code, 4, stderr)
      assert.match(stderr, /^hint: choose another name, or remove what has it$/m)
    }
    assert.match((await run('create', '--name', 'it')).stderr, /^hint: .*rename the box that has it$/m)
  }))

test('a damaged export is no damage of the home', () =>
  withShell(async ({ home, run }) => {
    const file = `${home}.ndjson`
    writeFileSync(file, 'nonsense\n')
    const { code, stderr } = await run('import', file)
    assert.is(code, 5)
    assert.match(stderr, /^boxledger: Line 1 .*\n$/)
  }))

test.run()
