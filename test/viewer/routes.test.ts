import * as assert from 'uvu/assert'
import { machineLayout } from '../../src/viewer/machine-layout.ts'
import { middleOf, wayPath } from '../../src/viewer/pen.ts'
import { Routes, Walk } from '../../src/viewer/routes.ts'
import { spanWords } from '../../src/viewer/time.ts'
import { suite } from '../support/suite.ts'
import { stepOf } from './steps.ts'

const test = suite('viewer: the way that a box goes')
const routes = new Routes(machineLayout)

const told = (from: string, to: string) => {
  const route = routes.between(from, to)
  const line = machineLayout.lines[route?.line ?? -1]
  return line === undefined ? undefined : `${line.from}>${line.to}${route?.back ? ' back' : ''}`
}

test('a move goes along its own line, along that of its group, or back along one', () => {
  assert.is(told('configured', 'starting.queued'), 'configured>starting')
  assert.is(told('starting.queued', 'starting.preparing'), 'starting.queued>starting.preparing')
  assert.is(told('running.steady', 'crashed.scheduling'), 'has a VMM>crashed')
  assert.is(told('crashed.waiting', 'starting.queued'), 'down>starting')
  assert.is(told('paused.resuming', 'running.steady'), 'running>paused back')
  assert.is(told('running.pausing', 'running.steady'), 'running.steady>running.pausing back')
  assert.is(told('unknown', 'running.steady'), 'has a VMM>unknown back')
  assert.is(told('running.steady', 'running.steady'), undefined)
  assert.is(told('', 'configured'), undefined)
  assert.is(told('configured', 'removing.deleting'), undefined)
  assert.is(told('nowhere', 'toString'), undefined)
})

test('a walk counts lines taken and places entered, up to a step; executions walk nowhere', () => {
  const steps = [
    stepOf({ from: '', to: 'configured' }),
    stepOf({ from: 'configured', to: 'starting.queued' }),
    stepOf({ from: 'starting.queued', to: 'starting.preparing' }),
    stepOf({ execution: 'e', from: '', to: 'running' }),
    stepOf({ from: 'starting.preparing', to: 'starting.preparing' }),
    stepOf({ from: 'starting.preparing', to: 'failed.resting' }),
    stepOf({ from: 'failed.resting', to: 'starting.queued' }),
    stepOf({ from: 'starting.queued', to: 'starting.preparing' }),
  ]
  const taken = steps.map(({ from, to }) => routes.between(from, to))
  const walk = new Walk(steps, taken)
  const preparing = taken[2]?.line ?? -1
  const told = () =>
    ['configured', 'starting', 'starting.queued', 'starting.preparing', 'failed', 'failed.resting', 'running']
      .map(place => walk.timesIn(place))
      .concat(walk.timesAlong(preparing))
  walk.to(6)
  assert.equal(told(), [1, 2, 2, 1, 1, 1, 0, 1])
  walk.to(7)
  assert.equal(told(), [1, 2, 2, 2, 1, 1, 0, 2])
  walk.to(1)
  assert.equal(told(), [1, 1, 1, 0, 0, 0, 0, 0])
  walk.to(7)
  assert.equal(told(), [1, 2, 2, 2, 1, 1, 0, 2])
})

test('a way is drawn with round corners, in both directions; a number stands where there is room', () => {
  assert.is(wayPath([0, 0, 0, 40, 40, 40], false), 'M0 0L0 34Q0 40 6 40L40 40')
  assert.is(wayPath([0, 0, 0, 40, 40, 40], true), 'M40 40L6 40Q0 40 0 34L0 0')
  assert.is(wayPath([], false), '')
  assert.equal(middleOf([0, 0, 0, 40, 100, 40]), { x: 50, y: 40 })
  assert.is(middleOf([0, 0, 14, 0]), undefined)
})

test('spans are told in two units at most, backwards too', () => {
  const spans = [0, 999, 1500, 59_900, 60_000, 3_725_000, 3_600_000, 90_000_000, 200_000_000, -5]
  assert.equal(spans.map(spanWords), [
    ...['0 ms', '999 ms', '1.50 s', '59.9 s', '1 min', '1 h 2 min', '1 h', '25 h', '2 d 7 h', '−5 ms'],
  ])
})

test.run()
