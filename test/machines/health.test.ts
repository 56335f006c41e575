import { crash, given, running, startFacts } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('machines: health')

const healthy = { type: 'health.changed', health: 'healthy' } as const
const unhealthy = { type: 'health.changed', health: 'unhealthy', reason: 'exit code 1' } as const
const options = { health: { command: 'ping' }, restart: { policy: 'always' } } as const
const healthOf = (...events: Parameters<typeof given>[0]) =>
  given([...running(options), ...events]).state.context.seen.health

test('it is remembered, and nothing is done about it', () => {
  assert.is(healthOf(), null)
  given([...running(options), healthy])
    .when(unhealthy)
    .then({ state: 'running', effects: [], restarts: false })
  assert.is(healthOf(healthy), 'healthy')
  assert.is(healthOf(healthy, unhealthy), 'unhealthy')
  assert.is(healthOf(healthy, { type: 'pause.requested' }, { type: 'vm.paused' }), 'healthy')
})

test('what begins anew is not known: the next start, a reboot', () => {
  assert.is(healthOf(healthy, { type: 'restart.requested' }, crash, ...startFacts), null)
  assert.is(healthOf(healthy, { type: 'guest.rebooted', count: 1 }), null)
})

test('what comes when it is over changes nothing', () => {
  const stop = { type: 'stop.requested', mode: 'kill' } as const
  assert.is(healthOf(healthy, stop, crash, unhealthy), 'healthy')
  assert.is(
    healthOf(stop, crash, { type: 'start.requested' }, ...startFacts, { ...unhealthy, incarnation: 1 }),
    null,
  )
})

test.run()
