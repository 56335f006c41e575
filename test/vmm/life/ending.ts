import * as assert from 'uvu/assert'
import type { Test } from '../../support/suite.ts'
import type { TestedVmm } from './vmms.ts'
import { guest, saidOnConsole, withClient, withLoop } from './with-loop.ts'

export function testEnding(test: Test, { choice: vmm, register }: TestedVmm): void {
  register(test, "the guest's power-off is told apart from all else", async () => {
    await withLoop({ vmm, spec: guest('off') }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.reach('stopped')
      assert.is(loop.state.context.ending?.cause, 'guest-poweroff')
      assert.equal(loop.types().slice(-4), ['vm.booted', 'guest.powered-off', 'stop.rung', 'vmm.exited'])
      assert.is(loop.find('vmm.exited')?.last, 'orderly')
    })
  })

  register(test, 'a VMM that is killed is a crash, noticed at once', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      await saidOnConsole(loop, 'hello')
      process.kill(loop.pid, 'SIGKILL')
      await loop.reach('crashed', 1_500)
      const exit = loop.find('vmm.exited')
      assert.is(exit?.signal, 'SIGKILL')
      assert.is(exit?.last, 'none')
      assert.match(exit?.logTail ?? '', /\S/)
    })
  })

  register(test, 'an orderly end by somebody else is nobody of ours and no power-off', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      process.kill(loop.pid, 'SIGTERM')
      await loop.reach('stopped', 5_000)
      assert.is(loop.state.context.ending?.cause, 'external')
      assert.is(loop.count('guest.powered-off'), 0)
      await loop.start()
      await withClient(loop, client => client.act('vmm.shutdown').catch(() => {}))
      await loop.reach('stopped', 5_000)
      assert.is(loop.state.context.ending?.cause, 'external')
      assert.is(loop.count('guest.powered-off'), 0)
    })
  })

  register(test, 'a reset is a reboot in place', async () => {
    await withLoop({ vmm, spec: guest('reset') }, async loop => {
      await loop.start()
      const { pid } = loop
      await loop.until(() => loop.state.context.reboots.count >= 3, 'three reboots')
      assert.is(loop.public, 'running')
      assert.is(loop.pid, pid)
      loop.send({ type: 'stop.requested', mode: 'kill' })
      await loop.reach('stopped')
    })
  })

  register(test, 'a triple fault is a reboot, or a failed processor where KVM makes one of it', async () => {
    await withLoop({ vmm, spec: guest('triple') }, async loop => {
      await loop.start()
      await loop.until(
        () => loop.state.context.reboots.count > 0 || loop.public === 'crashed',
        'what comes of it',
      )
      if (loop.public !== 'crashed') return
      assert.is(loop.state.context.ending?.cause, 'vcpu-error')
      assert.is(loop.count('guest.powered-off'), 0)
    })
  })

  register(test, 'a panic is told, and the power-off after it', async () => {
    await withLoop({ vmm, spec: guest('panic') }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.until(() => !loop.state.context.open && loop.types().includes('vmm.exited'), 'the end')
      assert.is(loop.count('guest.panicked'), 1)
      assert.ok(loop.state.context.seen.panicked)
    })
  })
}
