import {
  type BoxEvent,
  type BoxState,
  backoffMs,
  type Exit,
  isRefusal,
  pathOf,
  publicStateOf,
  type Refusal,
  type RestartSpec,
  snapshotOf,
  step,
  type Transition,
} from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { created, process, spec } from './alphabet.ts'

const test = suite('machines: life cycle')

/** given(events).when(event): what came of it. */
function given(events: readonly BoxEvent[], first: BoxEvent = created) {
  let version = 1
  let outcome = step(undefined, first, { at: 1_000, version }) as Transition
  const take = (event: BoxEvent): Transition | Refusal => {
    version += 1
    return step(outcome.state, event, { at: 1_000 * version, version })
  }
  for (const event of events) {
    const next = take(event)
    if (isRefusal(next)) throw new Error(`${event.type} was refused in ${pathOf(outcome.state.value)}`)
    outcome = next
  }
  return { outcome, when: take }
}

const up: readonly BoxEvent[] = [
  { type: 'start.requested' },
  { type: 'start.stage', stage: 'preparing', incarnation: 1 },
  { type: 'start.stage', stage: 'spawning', incarnation: 1 },
  { type: 'vmm.spawned', process, incarnation: 1 },
  { type: 'vmm.ready', version: '53.0.0', incarnation: 1 },
  { type: 'vm.created', incarnation: 1 },
  { type: 'vm.booted', incarnation: 1 },
  { type: 'guest.ready', incarnation: 1 },
]
const exited = (exit: Partial<Exit> = {}): BoxEvent => ({
  type: 'vmm.exited',
  incarnation: 1,
  spawned: true,
  last: 'none',
  noShutdown: true,
  ...exit,
})
const after = (delay: string, state: string): BoxEvent => ({
  type: 'timer.fired',
  timer: `xstate.after.${delay}.box.${state}`,
  incarnation: 1,
})
const policed = (restart: RestartSpec) => ({ ...created, spec: { ...spec, restart } })
const stop: BoxEvent = { type: 'stop.requested', mode: 'graceful' }
const endOf = (state: BoxState) => [publicStateOf(state.value), state.context.ending?.cause] as const

test('a start asks for one effect a stage, each named by version and number', () => {
  const asked: string[] = []
  for (let n = 1; n <= up.length; n += 1)
    asked.push(...given(up.slice(0, n)).outcome.effects.map(({ id, type }) => `${type} ${id}`))
  assert.equal(asked, [
    'queueStart 2.0',
    'prepareFiles 3.0',
    'spawnVmm 4.0',
    'awaitVmm 5.0',
    'createVm 6.0',
    'bootVm 7.0',
    'awaitGuest 8.0',
  ])
  assert.is(pathOf(given(up).outcome.state.value), 'running.steady')
})

test('a refusal names the state and what it would accept', () => {
  const refusal = given(up).when({ type: 'start.requested' })
  assert.ok(isRefusal(refusal))
  assert.is(refusal.state, 'running')
  assert.equal(refusal.accepts, [
    'stop.requested',
    'restart.requested',
    'pause.requested',
    'snapshot.requested',
    'remove.requested with force',
    'box.renamed',
  ])
})

test('endings are told by the evidence', () => {
  const table: [string, readonly BoxEvent[], readonly [string, string]][] = [
    ['asked for', [...up, stop, exited({ last: 'orderly' })], ['stopped', 'requested']],
    ['asked for, and killed', [...up, stop, exited()], ['stopped', 'requested']],
    [
      'power-off',
      [...up, { type: 'guest.powered-off', incarnation: 1 }, exited({ last: 'orderly' })],
      ['stopped', 'guest-poweroff'],
    ],
    [
      'old VMM, orderly',
      [...up, exited({ last: 'orderly', noShutdown: false })],
      ['stopped', 'guest-poweroff'],
    ],
    ['somebody else', [...up, exited({ last: 'orderly' })], ['stopped', 'external']],
    ['killed', [...up, exited({ signal: 'SIGKILL' })], ['crashed', 'crash']],
    ['failed reboot', [...up, exited({ last: 'rebooting' })], ['crashed', 'crash']],
    ['vCPU', [...up, exited({ last: 'orderly', vcpuError: true })], ['crashed', 'vcpu-error']],
    ['panic', [...up, { type: 'guest.panicked', incarnation: 1 }, exited()], ['crashed', 'guest-panic']],
    ['host', [...up, { type: 'host.rebooted', incarnation: 1 }], ['stopped', 'host-reboot']],
    ['no socket', [...up.slice(0, 4), exited()], ['failed', 'boot-failed']],
    ['in the boot', [...up.slice(0, 6), exited({ last: 'booting' })], ['failed', 'boot-failed']],
    ['after the boot', [...up.slice(0, 7), exited()], ['failed', 'boot-failed']],
    [
      'operator',
      [
        ...up,
        { type: 'box.unknown', incarnation: 1, reason: '?' },
        { type: 'box.resolved', verdict: 'dead' },
      ],
      ['crashed', 'unknown'],
    ],
  ]
  for (const [what, events, end] of table) assert.equal(endOf(given(events).outcome.state), end, what)
})

test('a failed boot ends the VMM, and only then the box has failed, with the cause', () => {
  const { outcome, when } = given([
    ...up.slice(0, 6),
    { type: 'start.failed', incarnation: 1, code: 'BOOT_FAILED', message: 'no kernel' },
  ])
  assert.is(pathOf(outcome.state.value), 'stopping.killing')
  const { state } = when(exited()) as Transition
  assert.equal(endOf(state), ['failed', 'boot-failed'])
  assert.is(state.context.ending?.message, 'no kernel')
})

test('the ladder climbs by its timers, and each rung is an effect', () => {
  const rungs = [
    stop,
    after('halfGrace', 'stopping.pressing'),
    after('halfGrace', 'stopping.pressingAgain'),
    after('cutLimit', 'stopping.cutting'),
    after('closeLimit', 'stopping.closing'),
    after('terminateLimit', 'stopping.terminating'),
  ]
  const asked = rungs.map((_, n) => given([...up, ...rungs.slice(0, n + 1)]).outcome.effects[0]?.type)
  assert.equal(asked, ['pressButton', 'pressButton', 'cutPower', 'closeVmm', 'terminateVmm', 'killVmm'])
  const unkillable = given([...up, ...rungs, after('killLimit', 'stopping.killing')]).outcome.state
  assert.is(pathOf(unkillable.value), 'unknown')
  assert.equal(
    endOf(given([...up, ...rungs, after('killLimit', 'stopping.killing'), exited()]).outcome.state),
    ['stopped', 'requested'],
  )
})

test('deadlines are the time of asking and the length of the wait', () => {
  const { outcome } = given([...up, { type: 'stop.requested', mode: 'graceful', timeoutMs: 3_000 }])
  assert.equal(outcome.timers.set, [
    { id: 'xstate.after.halfGrace.box.stopping.pressing', dueAt: 10_000 + 1_500 },
  ])
})

test('the grace counts from when the stop was asked for, whenever the button is pressed again', () => {
  // It is asked for at 10,000 and pressed again at 11,000, or when an engine is back.
  const pressedAgain = (timeoutMs: number) =>
    given([
      ...up,
      { type: 'stop.requested', mode: 'graceful', timeoutMs },
      after('halfGrace', 'stopping.pressing'),
    ]).outcome.timers.set.map(({ dueAt }) => dueAt)
  assert.equal(pressedAgain(2_000), [12_000])
  assert.equal(pressedAgain(1_200), [11_200])
  assert.equal(pressedAgain(600), [11_000], 'nothing is left of it')
})

test('a stronger stop pre-empts, an equal or weaker one is refused', () => {
  const stopping = given([...up, { type: 'stop.requested', mode: 'force' }])
  assert.is(pathOf(stopping.outcome.state.value), 'stopping.cutting')
  assert.ok(isRefusal(stopping.when({ type: 'stop.requested', mode: 'graceful' })))
  assert.ok(isRefusal(stopping.when({ type: 'stop.requested', mode: 'force' })))
  const killed = stopping.when({ type: 'stop.requested', mode: 'kill' }) as Transition
  assert.is(pathOf(killed.state.value), 'stopping.killing')
})

test('a restart starts again when the VMM has ended; a stop beats it', () => {
  const again = given([...up, { type: 'restart.requested' }, exited()]).outcome
  assert.equal([pathOf(again.state.value), again.state.context.incarnation], ['starting.queued', 2])
  assert.is(again.state.context.ending, null)
  const beaten = given([...up, { type: 'restart.requested' }, stop, exited()]).outcome
  assert.equal(endOf(beaten.state), ['stopped', 'requested'])
})

test('a fact about an incarnation that is over is recorded and changes nothing', () => {
  const { outcome, when } = given([...up, exited(), { type: 'start.requested' }])
  const late = when(exited()) as Transition
  assert.equal([late.from, late.to], ['starting', 'starting'])
  assert.is(late.state, outcome.state)
})

test('a fact that a state has no use for is a transition to itself', () => {
  const late = given([]).when({ type: 'guest.ready', incarnation: 0 }) as Transition
  assert.equal(
    [late.from, late.to, late.effects, late.timers],
    ['configured', 'configured', [], { set: [], cancelled: [] }],
  )
})

test('paused, resumed, by us or by others', () => {
  const pausing = given([...up, { type: 'pause.requested' }])
  assert.is(pathOf(pausing.outcome.state.value), 'running.pausing')
  const paused = given([...up, { type: 'pause.requested' }, { type: 'vm.paused', incarnation: 1 }])
  assert.is(pathOf(paused.outcome.state.value), 'paused.held')
  const outside = given([
    ...up,
    { type: 'vm.paused', incarnation: 1 },
    { type: 'vm.resumed', incarnation: 1 },
  ])
  assert.is(pathOf(outside.outcome.state.value), 'running.steady')
})

test('out of unknown the look decides, with what was intended before', () => {
  const unknown: BoxEvent = { type: 'box.unknown', incarnation: 1, reason: 'EACCES' }
  const seen = (vm: 'none' | 'created' | 'running' | 'paused'): BoxEvent => ({
    type: 'vmm.adopted',
    incarnation: 1,
    process,
    vm,
  })
  const end = (events: readonly BoxEvent[]) => pathOf(given(events).outcome.state.value)
  assert.is(end([...up, unknown, seen('running')]), 'running.steady')
  assert.is(end([...up, unknown, seen('paused')]), 'paused.held')
  assert.is(end([...up, unknown, seen('created')]), 'stopping.closing')
  assert.is(end([...up, stop, unknown, seen('running')]), 'stopping.closing')
  assert.is(end([...up.slice(0, 6), unknown, seen('created')]), 'stopping.killing')
  assert.ok(isRefusal(given([...up, unknown]).when({ type: 'remove.requested', force: true })))
})

test('while a start waits for its guest, a VM paused or off is seen as such', () => {
  const waiting = up.slice(0, -1)
  const seen = (vm: 'none' | 'paused' | 'running'): BoxEvent => ({
    type: 'vmm.adopted',
    incarnation: 1,
    process,
    vm,
  })
  const end = (event: BoxEvent) => pathOf(given([...waiting, event]).outcome.state.value)
  assert.is(end({ type: 'vm.paused', incarnation: 1 }), 'paused.held')
  assert.is(end(seen('paused')), 'paused.held')
  assert.is(end(seen('none')), 'stopping.closing')
  assert.is(end(seen('running')), 'starting.waiting')
})

test('a boot of the host ends what ran; what was ending already ends as it would have', () => {
  const reboot: BoxEvent = { type: 'host.rebooted', incarnation: 1 }
  const always = policed({ policy: 'always' })
  const after = (...events: readonly BoxEvent[]) => given([...up, ...events, reboot], always).outcome
  assert.equal(endOf(after().state), ['stopped', 'host-reboot'])
  const stopped = after(stop)
  assert.equal(endOf(stopped.state), ['stopped', 'requested'])
  assert.equal(stopped.effects, [], 'a stop beats a restart')
  assert.equal(endOf(after({ type: 'guest.panicked', incarnation: 1 }).state), ['crashed', 'guest-panic'])
  const failed: BoxEvent = { type: 'start.failed', incarnation: 1, code: 'BOOT_FAILED', message: 'no kernel' }
  const start = given([...up.slice(0, 5), failed, reboot]).outcome
  assert.equal(endOf(start.state), ['failed', 'boot-failed'])
  const restart = after({ type: 'restart.requested' })
  assert.equal(
    [restart.to, restart.state.context.incarnation],
    ['starting', 2],
    'a restart asked for goes on',
  )
})

test('an incarnation that the ledger does not know is counted, and looked at if it may live', () => {
  const found = (lives: boolean): BoxEvent => ({
    type: 'incarnation.found',
    incarnation: 7,
    process: lives ? process : null,
    lives,
  })
  const down = [...up, stop, exited()]
  const counted = given([...down, found(false)])
  assert.equal(
    [counted.outcome.to, counted.outcome.state.context.incarnation, counted.outcome.effects],
    ['stopped', 7, []],
  )
  const next = counted.when({ type: 'start.requested' }) as Transition
  assert.is(next.state.context.incarnation, 8)
  assert.is((counted.when({ ...found(true), incarnation: 7 } as BoxEvent) as Transition).to, 'stopped')
  for (const before of [down, up, []])
    assert.equal(
      given([...before, found(true)]).outcome.effects.map(({ type }) => type),
      ['lookAtVmm'],
    )
  assert.is(given([...up, found(false)]).outcome.to, 'unknown', 'the one that was open cannot be any more')
  const removing = given([...up, { type: 'remove.requested', force: true }, found(true)])
  const seen: BoxEvent = { type: 'vmm.adopted', incarnation: 7, process, vm: 'running' }
  assert.is(pathOf((removing.when(seen) as Transition).state.value), 'removing.killing')
})

test('a box that removes itself goes when it is down, whatever the cause, its ending kept', () => {
  const itself = { ...created, spec: { ...spec, autoRemove: true } }
  for (const events of [
    [...up, exited()],
    [...up, stop, exited()],
    [...up.slice(0, 5), exited()],
    [...up.slice(0, 2), stop],
  ]) {
    const { state } = given(events, itself).outcome
    assert.is(pathOf(state.value), 'removing.deleting')
    assert.ok(state.context.ending)
  }
})

test('a forced removal kills first, keeps at it, and deletes after', () => {
  const killing = given([...up, { type: 'remove.requested', force: true }])
  assert.is(killing.outcome.effects[0]?.type, 'killVmm')
  const again = killing.when(after('killLimit', 'removing.killing')) as Transition
  assert.is(again.effects[0]?.type, 'killVmm')
  const deleting = killing.when(exited()) as Transition
  assert.is(deleting.effects[0]?.type, 'removeFiles')
})

const scheduled = (delayMs: number): BoxEvent => ({ type: 'restart.scheduled', incarnation: 1, delayMs })

test('policies: which endings start a box again', () => {
  const off: readonly BoxEvent[] = [
    { type: 'guest.powered-off', incarnation: 1 },
    exited({ last: 'orderly' }),
  ]
  const badly: readonly BoxEvent[] = [{ type: 'command.exited', incarnation: 1, exitCode: 1 }, ...off]
  const table: [RestartSpec['policy'], readonly BoxEvent[], boolean][] = [
    ['no', [exited()], false],
    ['on-failure', [exited()], true],
    ['on-failure', off, false],
    ['on-failure', badly, true],
    ['on-failure', [stop, exited()], false],
    ['on-failure', [{ type: 'host.rebooted', incarnation: 1 }], false],
    ['always', off, true],
    ['always', [exited({ last: 'orderly' })], true],
    ['always', [stop, exited()], false],
    ['always', [{ type: 'host.rebooted', incarnation: 1 }], true],
    ['unless-stopped', off, true],
    ['unless-stopped', [stop, exited()], false],
  ]
  for (const [policy, events, again] of table) {
    const { outcome } = given([...up, ...events], policed({ policy }))
    assert.is(
      outcome.effects[0]?.type === 'scheduleRestart',
      again,
      `${policy}: ${events.map(({ type }) => type)}`,
    )
  }
})

test('a restart by policy waits as long as was drawn, counts, and has a limit', () => {
  const first = policed({ policy: 'always', maxRetries: 1 })
  const waiting = given([...up, exited(), scheduled(120)], first)
  assert.equal(waiting.outcome.timers.set, [
    { id: 'xstate.after.restartDelay.box.crashed.waiting', dueAt: 11_000 + 120 },
  ])
  const again = waiting.when(after('restartDelay', 'crashed.waiting')) as Transition
  assert.equal(
    [again.to, again.state.context.restart.count, again.state.context.incarnation],
    ['starting', 1, 2],
  )
  const failed = step(
    again.state,
    { type: 'start.failed', incarnation: 2, code: 'VMM_NOT_FOUND', message: 'none' },
    { at: 12_000, version: 20 },
  ) as Transition
  assert.equal([failed.to, failed.effects, failed.state.context.restart.due], ['failed', [], false])
})

test('a stop beats a restart that waits, and a start need not wait for it', () => {
  const waiting = given([...up, exited(), scheduled(30_000)], policed({ policy: 'always' }))
  const beaten = waiting.when(stop) as Transition
  assert.equal([beaten.to, beaten.state.context.restart.due], ['crashed', false])
  assert.equal(beaten.timers.cancelled, ['xstate.after.restartDelay.box.crashed.waiting'])
  assert.is((waiting.when({ type: 'start.requested' }) as Transition).to, 'starting')
})

test('a stop beats a restart also where the box is going down by itself, and colours its ending', () => {
  const off: BoxEvent = { type: 'guest.powered-off', incarnation: 1 }
  const failed: BoxEvent = { type: 'start.failed', incarnation: 1, code: 'BOOT_FAILED', message: 'no kernel' }
  const always = policed({ policy: 'always' })
  for (const mode of ['graceful', 'kill'] as const) {
    const asked: BoxEvent = { type: 'stop.requested', mode }
    const ends: readonly [readonly BoxEvent[], string][] = [
      [[...up, off], 'guest-poweroff'],
      [[...up, { type: 'guest.panicked', incarnation: 1 }], 'guest-panic'],
      [[...up.slice(0, 5), failed], 'boot-failed'],
    ]
    for (const [events, cause] of ends) {
      const alone = given([...events, exited()], always).outcome.state
      assert.equal(
        [alone.context.restart.due, alone.context.ending?.cause],
        [true, cause],
        'it would come back',
      )
      const { outcome } = given([...events, asked, exited()], always)
      assert.equal(endOf(outcome.state), ['stopped', 'requested'])
      assert.equal([outcome.effects, outcome.state.context.restart.due], [[], false], `${mode}: ${cause}`)
    }
  }
})

test('a box that removes itself does so when a stop has called its restart off', () => {
  const itself = {
    ...created,
    spec: { ...spec, autoRemove: true, restart: { policy: 'on-failure' } },
  } as const satisfies BoxEvent
  for (const events of [
    [...up, exited()],
    [...up, exited(), scheduled(60_000)],
  ])
    assert.is(pathOf(given([...events, stop], itself).outcome.state.value), 'removing.deleting')
})

test('a box whose restart is due is busy, and not removed without force', () => {
  const waiting = given([...up, exited(), scheduled(60_000)], policed({ policy: 'always' }))
  assert.ok(snapshotOf(waiting.outcome.state).hasTag('busy'))
  assert.ok(isRefusal(waiting.when({ type: 'remove.requested', force: false })))
  const resting = waiting.when(stop) as Transition
  assert.ok(snapshotOf(resting.state).hasTag('down') && !snapshotOf(resting.state).hasTag('busy'))
  assert.is((waiting.when({ type: 'remove.requested', force: true }) as Transition).to, 'removing')
})

test('a slow boot is no long run: starts in a row are counted from when the guest was ready', () => {
  const restart: RestartSpec = { policy: 'always', maxRetries: 1 }
  const at = (ms: number, event: BoxEvent, state: BoxState) =>
    step(state, event, { at: ms, version: 30 }) as Transition
  const again = given([...up, exited(), scheduled(10)], policed(restart))
  const second = again.when(after('restartDelay', 'crashed.waiting')) as Transition
  const of2 = (event: BoxEvent) => ({ ...event, incarnation: 2 }) as BoxEvent
  let state = second.state
  for (const event of up.slice(1, -1)) state = at(20_000, of2(event), state).state
  state = at(80_000, of2({ type: 'guest.ready', incarnation: 2 }), state).state
  const soon = at(81_000, of2(exited()), state)
  assert.equal([soon.to, soon.state.context.restart.due], ['crashed', false], 'the limit holds')
  const late = at(90_000, of2(exited()), state)
  assert.equal([late.state.context.restart.due, late.state.context.restart.attempts], [true, 0])
})

test('back-off grows, is bounded, and is spread', () => {
  const waits = [0, 1, 2, 20].map(attempts => backoffMs({ policy: 'always' }, attempts, 0.5))
  assert.equal(waits, [100, 200, 400, 30_000])
  assert.equal(
    [backoffMs({ policy: 'always' }, 0, 0), backoffMs({ policy: 'always' }, 0, 0.999999)],
    [80, 120],
  )
})

test('a panic and a reboot loop cut the VM off', () => {
  const panic = given([...up, { type: 'guest.panicked', incarnation: 1 }])
  assert.is(panic.outcome.effects[0]?.type, 'cutPower')
  const offAfterPanic = given([
    ...up,
    { type: 'guest.panicked', incarnation: 1 },
    { type: 'guest.powered-off', incarnation: 1 },
    exited({ last: 'orderly' }),
  ])
  assert.equal(endOf(offAfterPanic.outcome.state), ['crashed', 'guest-panic'])
  const reboot: BoxEvent = { type: 'guest.rebooted', incarnation: 1, count: 1 }
  const four = given([...up, reboot, reboot, reboot, reboot])
  assert.equal([four.outcome.to, four.outcome.state.context.reboots.count], ['running', 4])
  const loop = given([...up, reboot, reboot, reboot, reboot, reboot, exited()])
  assert.equal(endOf(loop.outcome.state), ['crashed', 'reboot-loop'])
})

test.run()
