import { readFile } from 'node:fs/promises'
import { boxMachine } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withShell } from './boxledger.ts'

const test = suite('command: the machine')
const page = new URL('../../../docs/machine.md', import.meta.url)
const publicStates = Object.keys(boxMachine.states)

interface State {
  readonly path: string
  readonly children: readonly State[]
  readonly moves: readonly { readonly event: string; readonly target?: string }[]
}

test('it prints the drawing and a table of all states and events', () =>
  withShell(async ({ ok }) => {
    const text = await ok('machine')
    const [drawing = '', acceptance = '', cases = ''] = text.split('\n\n')
    assert.match(drawing, /^configured \(at first\) +-> starting +start\.requested, restart\.requested$/m)
    for (const state of publicStates) {
      assert.match(drawing, new RegExp(`^${state}( |$)`, 'm'))
      assert.match(acceptance, new RegExp(`^${state}( +(yes|-|partly)){10}$`, 'm'))
    }
    assert.match(cases, /^running\.steady +[\w.]+ +\S/m)
    for (const event of boxMachine.events)
      if (!event.startsWith('xstate.')) assert.ok(cases.includes(event), event)
    for (const line of text.split('\n')) assert.is(line, line.trimEnd())
  }))

test('one state from within, as text, as Mermaid and as JSON; others are refused', () =>
  withShell(async ({ ok, json, run }) => {
    const text = await ok('machine', 'paused')
    assert.match(text, /^paused: .+\.\n\nSTATE +EVENT +CASES\npaused\./)
    assert.not.match(text, /^running/m)
    assert.match(await ok('machine', '--mermaid'), /^stateDiagram-v2\n {2}\[\*\] --> configured\n/)
    assert.match(await ok('machine', 'starting', '--mermaid'), /starting_queued --> starting_preparing/)
    const whole = await json<State>('machine')
    assert.equal(
      whole.children.map(({ path }) => path),
      publicStates,
    )
    const configured = await json<State>('machine', 'configured')
    assert.equal(configured, whole.children[0])
    assert.ok(configured.moves.some(({ event, target }) => event === 'start.requested' && target))
    const { code, stderr } = await run('machine', 'nowhere')
    assert.is(code, 2)
    assert.match(stderr, /state must be one of configured, /)
  }))

test('its page is the one in docs, and it opens no home', () =>
  withShell(async ({ run, ok }) => {
    const { stdout } = await run('machine', '--markdown')
    assert.is(stdout, await readFile(page, 'utf8'))
    assert.is(
      await ok('--home', '/dev/null/nowhere', 'machine', '--mermaid').then(text => text.length > 0),
      true,
    )
  }))

test.run()
