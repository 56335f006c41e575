import type { Call, CallName, Script } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { codeOf, inWorld } from './in-world.ts'

/** Faults that simulations have found, each made small. */
const test = suite('testing: found')

const calling =
  (name: CallName, call: Call): Script =>
  () => ({ call: made => (made === name ? call : {}) })

test('a start that is asked for again, of a box that has become unknown, is answered', () =>
  inWorld({ script: calling('connect', { outcome: 'hangs' }) }, async world => {
    const box = await world.runtime.create({})
    const first = codeOf(box.start({ commandId: 'start' }))
    await world.advance(5_000)
    world.crash()
    await world.reopen()
    const again = await world.runtime.get(box.id)
    assert.is(await world.until(codeOf(again?.start({ commandId: 'start' }) ?? first)), 'VMM_TIMEOUT')
    assert.is((await again?.info())?.state, 'unknown')
    assert.is(await first, 'ENGINE_CLOSED')
  }))

test('a restart of a box whose VMM cannot be killed is answered', () =>
  inWorld(
    {
      script: () => ({
        powerOffMs: Number.POSITIVE_INFINITY,
        call: name => (name.startsWith('SIG') || name === 'vmm.shutdown' ? { outcome: 'refused' } : {}),
      }),
    },
    async world => {
      const box = await world.runtime.create({ stopTimeoutMs: 0 })
      await world.until(box.start())
      assert.is(await world.until(codeOf(box.restart())), 'VMM_TIMEOUT')
    },
  ))

test('a wait that begins after the close of the engine ends at once', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({})
    await world.until(box.start())
    await world.until(world.close())
    assert.is(await codeOf(world.until(box.wait())), 'ENGINE_CLOSED')
    await world.reopen()
  }))

test('what is unknown already is not recorded anew by each recovery', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({})
    await world.until(box.start())
    world.host.vmmOf(box.id)?.befall({ does: 'silence', forMs: 3_600_000 })
    await world.advance(60_000)
    assert.is((await box.info()).state, 'unknown')
    await world.recoverTwice()
  }))

test('a close whose stops the disk rejects frees the home all the same', async () => {
  let isBad = false
  await inWorld(
    { flush: () => ({ writeMs: 0, answerMs: 0, outcome: isBad ? 'lost' : 'written' }) },
    async world => {
      const box = await world.runtime.create({ detach: false })
      await world.until(box.start())
      isBad = true
      await world.until(world.close())
      isBad = false
      await world.reopen()
      await world.advance(60_000)
      const { state, ending } = await ((await world.runtime.get(box.id)) ?? box).info()
      assert.equal([state, ending?.cause], ['stopped', 'requested'])
    },
  )
})

test('the stop of a box that ends with its owner is recorded although the disk rejects it at first', async () => {
  let bad = 0
  await inWorld(
    { flush: () => ({ writeMs: 0, answerMs: 0, outcome: bad-- > 0 ? 'lost' : 'written' }) },
    async world => {
      const box = await world.runtime.create({ detach: false, restart: { policy: 'always' } })
      await world.until(box.start())
      world.crash()
      bad = 3
      await world.reopen()
      await world.advance(60_000)
      const info = await world.runtime.getInfo(box.id)
      assert.equal([info?.state, info?.ending?.cause, info?.restartAt], ['stopped', 'requested', undefined])
      await world.settle()
    },
  )
})

test('a stop that comes into a power-off keeps the policy from starting the box again', () =>
  inWorld({ script: calling('vmm.shutdown', { ms: 2_000 }) }, async world => {
    const box = await world.runtime.create({ restart: { policy: 'always' } })
    await world.until(box.start())
    world.host.vmmOf(box.id)?.powerOff()
    await world.advance(100)
    assert.is((await box.info()).state, 'stopping')
    await world.until(box.stop())
    await world.advance(600_000)
    const { state, ending } = await box.info()
    assert.equal([state, ending?.cause], ['stopped', 'requested'])
  }))

test('a box that cannot be looked at when its owner is killed has ended with it, and is not started again', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({ detach: false, restart: { policy: 'always' } })
    await world.until(box.start())
    world.host.vmmOf(box.id)?.befall({ does: 'silence', forMs: 3_600_000 })
    await world.advance(60_000)
    assert.is((await box.info()).state, 'unknown')
    assert.is(await codeOf(box.stop()), 'INVALID_STATE')
    world.crash()
    await world.reopen()
    await world.advance(60_000)
    const info = await world.runtime.getInfo(box.id)
    assert.equal([info?.state, info?.ending?.cause, info?.incarnation], ['stopped', 'requested', 1])
    assert.match(info?.ending?.message ?? '', /owner ended/)
    await world.recoverTwice()
  }))

test('a box that is removed with force has ended because somebody asked', () =>
  inWorld({}, async world => {
    const box = await world.runtime.create({})
    await world.until(box.start())
    await world.until(box.remove({ force: true }))
    const { state, ending } = await box.info()
    assert.equal([state, ending?.cause], ['removed', 'requested'])
  }))

test('a clock that is set back holds up neither a stop nor a restart that is due', () =>
  inWorld({ script: () => ({ powerOffMs: Number.POSITIVE_INFINITY }) }, async world => {
    const restart = { policy: 'always', backoff: { initialMs: 5_000, jitter: 0 } } as const
    const box = await world.runtime.create({ restart, stopTimeoutMs: 2_000 })
    await world.until(box.start())
    world.host.vmmOf(box.id)?.befall({ does: 'crash' })
    await world.advance(1_000)
    world.clock.setBy(-3_600_000)
    await world.advance(5_000)
    assert.equal([(await box.info()).state, (await box.info()).incarnation], ['running', 2])
    const stopped = box.stop()
    await world.advance(100)
    world.clock.setBy(-3_600_000)
    await world.until(stopped, 10_000)
  }))

test('the grace of a stop goes on under the next engine, and does not begin anew', () =>
  inWorld({ script: () => ({ powerOffMs: Number.POSITIVE_INFINITY }) }, async world => {
    const box = await world.runtime.create({ stopTimeoutMs: 60_000 })
    await world.until(box.start())
    const stopped = codeOf(box.stop())
    await world.advance(1_000)
    world.crash()
    assert.is(await stopped, 'ENGINE_CLOSED')
    await world.advance(3_600_000)
    await world.reopen()
    await world.advance(10_000)
    const info = await world.runtime.getInfo(box.id)
    assert.equal([info?.state, info?.ending?.cause], ['stopped', 'requested'])
  }))

test('a start that the next engine takes up when its time is long over has some time', () =>
  inWorld({ script: calling('connect', { ms: 3_000 }) }, async world => {
    const box = await world.runtime.create({})
    const started = codeOf(box.start())
    await world.advance(1_000)
    world.crash()
    assert.is(await started, 'ENGINE_CLOSED')
    await world.advance(3_600_000)
    await world.reopen()
    await world.advance(10_000)
    const info = await world.runtime.getInfo(box.id)
    assert.equal([info?.state, info?.incarnation], ['running', 1])
  }))

test.run()
