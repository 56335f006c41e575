// @idle
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { emulatorOf } from './life/vmms.ts'
import { guest, withLoop } from './life/with-loop.ts'

const test = suite('silence')

const faulty = (...faults: readonly string[]) =>
  emulatorOf('none', ...faults.flatMap(fault => ['--fault', fault]))
const tick = guest('tick')

test('a VMM without a socket is given up by the machine', async () => {
  await withLoop({ vmm: faulty('no-socket'), spec: tick }, async loop => {
    await loop.start('failed')
    assert.is(loop.state.context.ending?.code, 'VMM_TIMEOUT', JSON.stringify(loop.events))
    assert.is(loop.find('vmm.exited')?.signal, 'SIGKILL')
  })
})

test('a create that hangs is given up after its limit', async () => {
  await withLoop({ vmm: faulty('hang:vm.create'), spec: tick }, async loop => {
    await loop.start('failed')
    assert.is(loop.state.context.ending?.code, 'BOOT_FAILED')
  })
})

test('the ladder goes up to the kill', async () => {
  const vmm = faulty('hang:vm.shutdown', 'hang:vmm.shutdown', 'hang:vm.power-button', 'ignore-sigterm')
  await withLoop({ vmm, spec: { ...tick, stopTimeoutMs: 50 } }, async loop => {
    await loop.start()
    loop.send({ type: 'stop.requested', mode: 'graceful' })
    await loop.reach('stopped', 40_000)
    assert.is(loop.find('vmm.exited')?.signal, 'SIGKILL')
    assert.is(loop.state.context.ending?.cause, 'requested')
  })
})

test('a VMM that is alive and silent does not respond, is unknown in the end, and comes back', async () => {
  const heard: boolean[] = []
  const onResponding = (responding: boolean) => heard.push(responding)
  await withLoop({ vmm: emulatorOf('none'), spec: tick, onResponding }, async loop => {
    await loop.start()
    process.kill(loop.pid, 'SIGSTOP')
    await eventually(() => heard.length === 1, { timeoutMs: 6_000 })
    await loop.reach('unknown', 40_000)
    assert.is(loop.count('vmm.exited'), 0)
    process.kill(loop.pid, 'SIGCONT')
    await loop.reach('running', 10_000)
    assert.equal(heard, [false, true])
    assert.is(loop.count('box.unknown'), 1)
  })
})

test.run()
