import { readFile } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { readMachine, within } from '../../src/api/machine/graph.ts'
import { machineLayout } from '../../src/viewer/machine-layout.ts'
import { stateOf } from '../../src/viewer/paths.ts'
import { Routes } from '../../src/viewer/routes.ts'
import { suite } from '../support/suite.ts'
import { layoutModule } from './machine-layout.ts'
import { machinePicture } from './machine-picture.ts'

const test = suite('docs: the drawing of the machine')
const committed = new URL('../../../src/viewer/machine-layout.ts', import.meta.url)
const { places, lines, width, height } = machineLayout

/** Seldom taken, and drawn straight from one to the other when they are. */
const straight = [
  'configured>removing',
  'starting>paused',
  'unknown>removing',
  'unknown>stopped',
  'unknown>crashed',
]

test('the layout is what the machine makes of it', async () => {
  const text = await readFile(committed, 'utf8')
  assert.ok(text === (await layoutModule()), 'src/viewer/machine-layout.ts is stale: run `npm run docs`')
})

test('the picture of it is as the page draws it', async () => {
  const text = await readFile(new URL('../../../docs/machine.svg', import.meta.url), 'utf8')
  assert.ok(text === machinePicture(machineLayout), 'docs/machine.svg is stale: run `npm run docs`')
})

test('every state has one place, inside what it is in, and beside all others', () => {
  const paths = within(readMachine()).map(({ path }) => path)
  const drawn = places.filter(({ kind }) => kind !== 'group').map(({ id }) => id)
  assert.equal(drawn.sort(), paths.filter(path => path !== '').sort())
  for (const place of places) {
    const around = places.find(({ id }) => id === place.within) ?? { x: 0, y: 0, width, height }
    assert.ok(place.x >= around.x && place.x + place.width <= around.x + around.width, place.id)
    assert.ok(place.y >= around.y && place.y + place.height <= around.y + around.height, place.id)
    for (const other of places)
      if (other !== place && other.within === place.within)
        assert.ok(
          other.x >= place.x + place.width ||
            place.x >= other.x + other.width ||
            other.y >= place.y + place.height ||
            place.y >= other.y + other.height,
          `${other.id} lies on ${place.id}`,
        )
  }
})

test('every move that a state of its own makes has a line, but for a few that are named', () => {
  const routes = new Routes(machineLayout)
  const without = new Set<string>()
  for (const state of readMachine().children)
    for (const inner of within(state))
      for (const { target } of inner.moves) {
        if (target === undefined || target === inner.path) continue
        const isInside = stateOf(target) === state.path
        if (isInside && (inner.path === state.path || target === state.path)) continue
        if (routes.between(inner.path, target) !== undefined) continue
        without.add(isInside ? `${inner.path}>${target}` : `${state.path}>${stateOf(target)}`)
      }
  assert.equal([...without].sort(), [...straight].sort())
})

test('every line begins and ends at the border of what it connects', () => {
  assert.ok(lines.length > 20)
  for (const { from, to, points } of lines) {
    for (const [id, x = -1, y = -1] of [
      [from, ...points.slice(0, 2)],
      [to, ...points.slice(-2)],
    ] as const) {
      const place = places.find(other => other.id === id)
      assert.ok(place, String(id))
      if (place === undefined) continue
      const onSide = [place.x, place.x + place.width].some(side => Math.abs(side - Number(x)) <= 1)
      const onTop = [place.y, place.y + place.height].some(side => Math.abs(side - Number(y)) <= 1)
      assert.ok(onSide || onTop, `${from}>${to} at ${String(x)},${String(y)}`)
    }
  }
})

test.run()
