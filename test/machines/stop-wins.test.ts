import { crash, created, given, running, startFacts } from 'boxledger/testing'
import { suite } from '../support/suite.ts'

const test = suite('machines: a stop wins')

const always = { restart: { policy: 'always' } } as const
const exited = { type: 'vmm.exited', spawned: true, last: 'orderly', noShutdown: true } as const
const stop = { type: 'stop.requested', mode: 'graceful' } as const
const kill = { type: 'stop.requested', mode: 'kill' } as const
const unknown = { type: 'box.unknown', reason: 'it does not answer' } as const

test('over a reboot of the host that comes in between', () => {
  given([...running(always), stop])
    .when({ type: 'host.rebooted' })
    .then({ state: 'stopped', ending: { cause: 'requested' }, restarts: false })
  given(running(always))
    .when({ type: 'host.rebooted' })
    .then({ state: 'stopped', ending: { cause: 'host-reboot' }, restarts: true })
})

test('over the power-off of the guest that it comes into', () => {
  given([...running(always), { type: 'guest.powered-off' }])
    .when(stop)
    .then({ state: 'stopping', effects: [] })
    .when(exited)
    .then({ state: 'stopped', ending: { cause: 'requested' }, restarts: false })
})

test('over a panic, a loop and a failed start that it comes into, however it is asked', () => {
  for (const ask of [stop, kill]) {
    given([...running(always), { type: 'guest.panicked' }, ask])
      .when(crash)
      .then({ state: 'stopped', ending: { cause: 'requested' }, restarts: false })
    given([...running(always), { type: 'guest.rebooted', count: 5 }, ask])
      .when(crash)
      .then({ state: 'stopped', ending: { cause: 'requested' }, restarts: false })
    given([
      created({ restart: { policy: 'on-failure' } }),
      { type: 'start.requested' },
      ...startFacts.slice(0, 4),
      { type: 'start.failed', code: 'BOOT_FAILED', message: 'no' },
      ask,
    ])
      .when(crash)
      .then({ state: 'stopped', ending: { cause: 'requested', code: 'BOOT_FAILED' }, restarts: false })
  }
})

test('over a verdict on a box that could not be looked at', () => {
  given([...running(always), stop, unknown])
    .when({ type: 'box.resolved', verdict: 'dead' })
    .then({ state: 'stopped', ending: { cause: 'requested' }, restarts: false })
  given([...running(always), unknown])
    .when({ type: 'box.resolved', verdict: 'dead' })
    .then({ state: 'crashed', ending: { cause: 'unknown' }, restarts: true })
})

test('a restart that was asked for goes on, whatever ends the VMM', () => {
  const restarting = [...running(), { type: 'restart.requested' }] as const
  given(restarting).when({ type: 'host.rebooted' }).then({ state: 'starting', incarnation: 2 })
  given([...restarting, unknown])
    .when({ type: 'box.resolved', verdict: 'dead' })
    .then({ state: 'starting', incarnation: 2 })
})

test('a VM that is paused from outside while its guest is waited for is paused, and so found', () => {
  const waiting = [created(), { type: 'start.requested' }, ...startFacts.slice(0, 6)] as const
  given(waiting).when({ type: 'vm.paused' }).then({ state: 'paused' }).when({ type: 'vm.resumed' }).then({
    state: 'running',
  })
  const process = { pid: 1, startTime: '1', bootId: 'given', pidNamespace: 'given' }
  given(waiting).when({ type: 'vmm.adopted', process, vm: 'paused' }).then({ state: 'paused' })
  given(waiting).when({ type: 'vmm.adopted', process, vm: 'running' }).then({ path: 'starting.waiting' })
})

test.run()
