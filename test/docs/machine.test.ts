import { readFile } from 'node:fs/promises'
import { boxMachine } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { leavesOf, readMachine, within } from '../../src/api/machine/graph.ts'
import { machinePage } from '../../src/api/machine/page.ts'
import { suite } from '../support/suite.ts'

const test = suite('docs: the machine')
const committed = new URL('../../../docs/machine.md', import.meta.url)

test('docs/machine.md is what the machine makes of it', async () => {
  const text = await readFile(committed, 'utf8')
  assert.ok(text === machinePage(), 'docs/machine.md is stale: run `npm run docs` and commit it')
})

test('every state and every event is on the page', () => {
  const page = machinePage()
  const machine = readMachine()
  for (const state of leavesOf(machine)) {
    assert.ok(state.description, `${state.path} has no description`)
    assert.ok(page.includes(state.description), state.path)
  }
  for (const event of boxMachine.events)
    if (!event.startsWith('xstate.')) assert.ok(page.includes(event), event)
})

test('every drawing names the states it connects, and no label can end it', () => {
  const drawings = [...machinePage().matchAll(/```mermaid\nstateDiagram-v2\n([^`]*)```/g)]
  assert.ok(drawings.length > 5)
  const known = new Set(within(readMachine()).map(({ path }) => path.replaceAll('.', '_')))
  for (const [, drawing = ''] of drawings) {
    for (const line of drawing.trimEnd().split('\n'))
      assert.match(line, /^ {2}(state "[^"]+" as \w+|(\[\*\]|\w+) --> \w+( : [^:;#"{}]+)?)$/)
    for (const [, from = '', to = ''] of drawing.matchAll(/(\w+) --> (\w+)/g))
      for (const id of [from, to]) assert.ok(known.has(id) || /(^|_)any$/.test(id), id)
  }
})

test.run()
