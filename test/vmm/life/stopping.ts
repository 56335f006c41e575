import type { StopRung } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import type { Test } from '../../support/suite.ts'
import type { Loop } from './loop.ts'
import type { TestedVmm } from './vmms.ts'
import { guest, withClient, withLoop } from './with-loop.ts'

const rungs = (loop: Loop): StopRung[] =>
  loop.events.flatMap(event => (event.type === 'stop.rung' ? [event.rung] : []))

export function testStopping(test: Test, { choice: vmm, register }: TestedVmm): void {
  register(test, 'a graceful stop climbs where the guest does not hear', async () => {
    await withLoop({ vmm, spec: { ...guest('tick'), stopTimeoutMs: 300 } }, async loop => {
      await loop.start()
      loop.send({ type: 'stop.requested', mode: 'graceful' })
      await loop.reach('stopped')
      assert.equal(rungs(loop), ['power-button', 'power-button', 'power-cut', 'vmm-shutdown'])
      assert.is(loop.count('guest.powered-off'), 0, 'the cut is not taken for the guest')
      assert.is(loop.types().at(-1), 'vmm.exited')
      const { ending } = loop.state.context
      assert.is(ending?.cause, 'requested')
      assert.equal(ending?.vmm, { exitCode: 0 })
    })
  })

  register(test, 'a forced stop begins with the cut, a kill is one', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      loop.send({ type: 'stop.requested', mode: 'force' })
      await loop.reach('stopped')
      assert.equal(rungs(loop), ['power-cut', 'vmm-shutdown'])
      await loop.start()
      loop.send({ type: 'stop.requested', mode: 'kill' })
      await loop.reach('stopped')
      assert.equal(rungs(loop).slice(2), ['kill'])
      assert.is(loop.find('vmm.exited')?.signal, 'SIGKILL')
    })
  })

  register(test, 'a VMM that stands still is killed all the same', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      process.kill(loop.pid, 'SIGSTOP')
      loop.send({ type: 'stop.requested', mode: 'kill' })
      await loop.reach('stopped')
    })
  })

  register(test, 'pause and resume are told once, whoever asks', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      for (let round = 1; round <= 3; round++) {
        loop.send({ type: 'pause.requested' })
        await loop.reach('paused')
        loop.send({ type: 'resume.requested' })
        await loop.reach('running')
      }
      assert.is(loop.count('vm.paused'), 3)
      assert.is(loop.count('vm.resumed'), 3)
      await withClient(loop, async client => {
        await client.act('vm.pause')
        await loop.reach('paused', 5_000)
        await client.act('vm.resume')
        await loop.reach('running', 5_000)
      })
      assert.is(loop.count('vm.paused'), 4)
      assert.is(loop.count('vm.resumed'), 4)
      const { offset } = loop.find('vm.resumed') ?? {}
      assert.is(offset, loop.state.context.eventOffset)
    })
  })

  register(test, 'a paused box stops, resumed to hear the button', async () => {
    await withLoop({ vmm, spec: { ...guest('tick'), stopTimeoutMs: 200 } }, async loop => {
      await loop.start()
      loop.send({ type: 'pause.requested' })
      await loop.reach('paused')
      loop.send({ type: 'stop.requested', mode: 'graceful' })
      await loop.reach('stopped')
      assert.ok(loop.find('vmm.exited')?.lastEvents?.includes('vm/resumed'))
    })
  })

  register(test, 'a paused box is cut off', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      loop.send({ type: 'pause.requested' })
      await loop.reach('paused')
      loop.send({ type: 'stop.requested', mode: 'force' })
      await loop.reach('stopped')
    })
  })
}
