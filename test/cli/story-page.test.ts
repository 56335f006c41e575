import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import type { Story } from '../../src/viewer/story.ts'
import { damage } from '../api/damage.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { errorIn, guest, shellOn, withShell } from './boxledger.ts'

const test = suite("command: a box's story as a page")

/** What the page is told. */
const storyIn = (page: string): Story => {
  assert.match(page, /^<!doctype html>\n/)
  assert.match(page, /<\/html>\n?$/)
  const [, json = ''] = /id="story">([^<]*)<\/script>/.exec(page) ?? []
  return JSON.parse(json) as Story
}

test('is written by name, by ID, and of a removed box by ID', () =>
  withShell(async ({ ok, run }) => {
    const id = await ok('create', '--name', 'web', ...guest('idle'))
    await ok('rename', 'web', 'shop')
    const told = storyIn(await ok('export', '--box', 'shop', '--html'))
    assert.equal([told.id, told.name, told.spec[1]], [id, 'shop', '1 CPU'])
    assert.equal(
      told.steps.map(({ event, words }) => [event.type, words.split('/').at(-1)]),
      [
        ['box.created', 'guest.elf'],
        ['box.renamed', 'shop'],
      ],
    )
    await ok('rm', 'shop')
    const gone = storyIn(await ok('export', '--html', '--box', id))
    assert.equal(
      [gone.id, gone.steps.at(-1)?.to, gone.steps.at(-1)?.event.type],
      [id, 'removed', 'box.removed'],
    )
    for (const [args, code] of [
      [['--html', '--box', 'shop'], 3],
      [['--html'], 2],
    ] as const) {
      const refused = await run('export', ...args)
      assert.equal([refused.code, refused.stdout], [code, ''])
    }
  }))

test('an owner serves it over its socket', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home })
    const box = await owner.create({ name: 'it', labels: { '</script>': '\u202e' } })
    const page = await shellOn(home).ok('export', '--box', 'it', '--html')
    const { id, steps } = storyIn(page)
    assert.is(id, box.id)
    assert.equal(steps[0]?.differences.find(({ path }) => path[0] === 'labels')?.after, {
      '</script>': '\u202e',
    })
  }))

test('of a parked box it tells what comes before the damage, says so, and ends with 5', () =>
  withTempDir(async home => {
    const shell = shellOn(home)
    const id = await shell.ok('create', '--name', 'bad')
    await shell.ok('rename', 'bad', 'worse')
    await shell.ok('rename', 'worse', 'worst')
    await damage(home, `b/${id}/${'2'.padStart(14, '0')}/`)
    for (const args of [[id], ['--json', id]] as const) {
      const [box = '', flag] = [...args].reverse()
      const result = await shell.run(...(flag ? [flag] : []), 'export', '--html', '--box', box)
      assert.is(result.code, 5, result.stderr)
      const story = storyIn(result.stdout)
      assert.equal([story.id, story.name, story.steps.length], [id, 'bad', 1])
      assert.type(story.damage, 'string')
      if (flag) assert.equal(errorIn(result).details, { box: id })
    }
  }))

test.run()
