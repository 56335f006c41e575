// @timeout 300
import type { EndingCause } from 'boxledger/machines'
import type { Call, CallName, Fate } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { codeOf, inWorld } from './in-world.ts'

const test = suite('testing: the simulated host')

/** What becomes of a box that runs, of which nobody asks anything. */
const fates: Readonly<Record<Fate['does'], readonly [state: string, cause?: EndingCause]>> = {
  'power-off': ['stopped', 'guest-poweroff'],
  exit: ['stopped', 'guest-poweroff'],
  panic: ['crashed', 'guest-panic'],
  reboot: ['running'],
  crash: ['crashed', 'crash'],
  'vcpu-error': ['crashed', 'vcpu-error'],
  shutdown: ['stopped', 'external'],
  pause: ['paused'],
  resume: ['running'],
  silence: ['running'],
}

for (const [does, [state, cause]] of Object.entries(fates))
  test(`fate ${does}: the box is ${state}${cause === undefined ? '' : `, cause ${cause}`}`, () =>
    inWorld(
      { script: () => ({ fates: [{ afterMs: 60_000, does: does as Fate['does'], exitCode: 3 }] }) },
      async world => {
        const box = await world.runtime.create({})
        await world.until(box.start())
        await world.advance(59_000)
        assert.is((await box.info()).state, 'running')
        await world.advance(5_000)
        const { ending, reboots, responding, ...info } = await box.info()
        assert.equal([info.state, ending?.cause], [state, cause])
        assert.is(ending?.exitCode, does === 'exit' ? 3 : undefined)
        assert.is(reboots, does === 'reboot' ? 1 : 0)
        assert.is(responding, does !== 'silence')
        assert.is(world.host.vmmOf(box.id)?.isAlive, cause === undefined ? true : undefined)
      },
    ))

test('the fate of a VM that is paused waits until it runs', () =>
  inWorld({ script: () => ({ fates: [{ afterMs: 60_000, does: 'crash' }] }) }, async world => {
    const box = await world.runtime.create({})
    await world.until(box.start())
    await world.until(box.pause())
    await world.advance(3_600_000)
    assert.is((await box.info()).state, 'paused')
    await world.until(box.resume())
    await world.advance(2_000)
    assert.is((await box.info()).state, 'crashed')
  }))

test('a silence of half a minute makes a box unknown, and its end makes it known again', () =>
  inWorld({ script: () => ({ fates: [{ afterMs: 0, does: 'silence', forMs: 50_000 }] }) }, async world => {
    const box = await world.runtime.create({ ready: 'vmm' })
    await world.until(box.start())
    const states: string[] = []
    box.state$.subscribe(({ state }) => states.push(state))
    await world.advance(120_000)
    assert.equal(
      states.filter((state, n) => state !== states[n - 1]),
      ['running', 'unknown', 'running'],
    )
  }))

interface Row {
  readonly call: CallName
  readonly outcome: NonNullable<Call['outcome']>
  /** what `start`, `pause`, `resume`, `stop` and `remove` reject with; those left out resolve */
  readonly code?: Partial<Record<'start' | 'pause' | 'resume' | 'stop' | 'remove', string>>
}

const rows: readonly Row[] = [
  { call: 'prepare', outcome: 'refused', code: { start: 'VMM_NOT_FOUND' } },
  { call: 'spawn', outcome: 'refused', code: { start: 'VMM_START_FAILED' } },
  { call: 'spawn', outcome: 'dies', code: { start: 'VMM_START_FAILED' } },
  { call: 'connect', outcome: 'refused', code: { start: 'IDENTITY_MISMATCH' } },
  { call: 'connect', outcome: 'hangs', code: { start: 'VMM_TIMEOUT' } },
  { call: 'connect', outcome: 'dies', code: { start: 'VMM_START_FAILED' } },
  { call: 'vm.create', outcome: 'refused', code: { start: 'BOOT_FAILED' } },
  { call: 'vm.create', outcome: 'hangs', code: { start: 'BOOT_FAILED' } },
  { call: 'vm.boot', outcome: 'refused', code: { start: 'BOOT_FAILED' } },
  { call: 'vm.boot', outcome: 'lost', code: { start: 'BOOT_FAILED' } },
  { call: 'vm.boot', outcome: 'dies', code: { start: 'BOOT_FAILED' } },
  { call: 'vm.pause', outcome: 'refused', code: { pause: 'VMM_GONE' } },
  { call: 'vm.pause', outcome: 'hangs', code: { pause: 'VMM_TIMEOUT' } },
  { call: 'vm.pause', outcome: 'dies', code: { pause: 'ABORTED', resume: 'INVALID_STATE' } },
  { call: 'vm.resume', outcome: 'refused', code: { resume: 'VMM_GONE' } },
  { call: 'vm.power-button', outcome: 'refused' },
  { call: 'vm.shutdown', outcome: 'hangs' },
  { call: 'vmm.shutdown', outcome: 'lost' },
  { call: 'vmm.shutdown', outcome: 'hangs' },
  { call: 'SIGKILL', outcome: 'refused', code: { stop: 'VMM_TIMEOUT', remove: 'INVALID_STATE' } },
  { call: 'remove', outcome: 'refused', code: { remove: 'ENGINE_FAILED' } },
]

for (const { call, outcome, code = {} } of rows)
  test(`call ${call}, ${outcome}: ${JSON.stringify(code)}`, () =>
    inWorld(
      {
        script: () => ({
          powerOffMs: Number.POSITIVE_INFINITY,
          call: name =>
            name === call || (call === 'SIGKILL' && name.includes('shutdown')) ? { outcome } : {},
        }),
      },
      async world => {
        const box = await world.runtime.create({ stopTimeoutMs: 1_000 })
        const isUp = code.start === undefined
        assert.is(await world.until(codeOf(box.start())), code.start ?? 'none')
        for (const verb of ['pause', 'resume'] as const)
          assert.is(await world.until(codeOf(box[verb]())), code[verb] ?? (isUp ? 'none' : 'INVALID_STATE'))
        const mode = call === 'SIGKILL' ? 'kill' : 'graceful'
        assert.is(await world.until(codeOf(box.stop({ mode }))), code.stop ?? 'none')
        assert.is(await world.until(codeOf(box.remove())), code.remove ?? 'none')
        await world.advance(10_000)
        const isLeft = call === 'SIGKILL' || call === 'remove'
        assert.equal([await world.runtime.exists(box.id), world.host.hasFiles(box.id)], [isLeft, isLeft])
      },
    ))

test('a script is asked once for each start, and knows whose it is', () => {
  const starts: unknown[] = []
  return inWorld(
    {
      script: ({ name, incarnation, spec }) => {
        starts.push([name, incarnation, spec.memoryMib])
        return {}
      },
    },
    async world => {
      const box = await world.runtime.create({ name: 'web', memoryMib: 128 })
      await world.until(box.start())
      await world.until(box.restart())
      world.crash()
      await world.reopen()
      await world.advance(10_000)
      assert.equal(starts, [
        ['web', 1, 128],
        ['web', 2, 128],
      ])
      assert.is(world.host.spawned, 2)
    },
  )
})

test('calls take the time that the script says, before they act and until they answer', () =>
  inWorld(
    {
      script: () => ({
        readyMs: 40,
        call: name => (name === 'vm.boot' ? { ms: 500, answerMs: 300 } : { ms: 0 }),
      }),
    },
    async world => {
      const box = await world.runtime.create({ ready: 'vmm' })
      const started = box.start()
      await world.advance(499)
      assert.is(world.host.vmmOf(box.id)?.vm, 'created')
      await world.advance(1)
      assert.is(world.host.vmmOf(box.id)?.vm, 'running')
      await world.until(started)
      // What the VMM's events say is noticed before the answer comes.
      assert.is(world.clock.monotonic(), 505)
      await world.advance(100)
      assert.equal(
        world.host.vmmOf(box.id)?.events.map(({ type }) => type),
        ['vm.booted', 'guest.ready'],
      )
    },
  ))

test('a change is noticed as late as it is told', () =>
  inWorld({ noticeMs: () => 2_000 }, async world => {
    const box = await world.runtime.create({ ready: 'vmm' })
    await world.until(box.start())
    await world.advance(10_000)
    world.host.vmmOf(box.id)?.end({ signal: 'SIGSEGV' })
    await world.advance(1_999)
    assert.is((await box.info()).state, 'running')
    await world.advance(1)
    const { state, ending } = await box.info()
    assert.equal([state, ending?.vmm], ['crashed', { signal: 'SIGSEGV' }])
  }))

test('VMMs and files outlive engines, and a reboot of the host takes VMMs only', () =>
  inWorld({}, async world => {
    const [kept, attached] = [
      await world.runtime.create({ name: 'kept' }),
      await world.runtime.create({ name: 'attached', detach: false }),
    ]
    await world.until(Promise.all([kept.start(), attached.start()]))
    const pid = (await kept.info()).pid
    world.crash()
    assert.equal(
      world.host.alive.map(({ start, process }) => [start.name, process.pid]),
      [['kept', pid]],
    )
    const { bootId } = world.host
    world.rebootHost()
    assert.not.equal(world.host.bootId, bootId)
    assert.equal(world.host.alive, [])
    assert.ok(world.host.hasFiles(kept.id))
    await world.reopen()
    await world.advance(10_000)
    const causes = (await world.runtime.listInfo()).map(({ name, ending }) => [name, ending?.cause])
    assert.equal(causes, [
      ['attached', 'requested'],
      ['kept', 'host-reboot'],
    ])
  }))

test.run()
