// @timeout 120
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { askVmm } from '../support/ask-vmm.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('api: waits')
const vmm = { binary: instantVmm }
const image = smallGuest('idle')

test('a start of a box that is up is done, though its guest has not said that it is ready', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.create({ image, ready: { console: 'never said' }, stopTimeoutMs: 0 })
    const first = box.start().catch(error => error)
    await box.waitFor(({ stage }) => stage === 'waiting', { timeoutMs: 20_000 })
    await askVmm(join(home, 'boxes', box.id, '1'), 'vm.pause')
    await box.waitFor(({ state }) => state === 'paused')
    assert.ok(BoxError.is(await first, 'GUEST_UNREACHABLE'), 'it cannot become ready now')
    await box.start()
    await box.resume()
    const { version } = await box.info()
    await box.start()
    assert.equal([(await box.info()).version, (await box.info()).guestReady], [version, false])
    await box.remove({ force: true })
  }))

test('a signal ends a wait for a box that is recovering', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm })
    const box = await first.create({ name: 'it', image })
    await box.start()
    const { pid = 0 } = await box.info()
    await first.close()
    process.kill(pid, 'SIGSTOP')
    {
      await using second = await BoxRuntime.open({ home, vmm })
      const again = await second.get('it')
      assert.is((await again?.info())?.recovering, true)
      const error = await again?.stop({ signal: AbortSignal.timeout(50) }).catch(error => error)
      assert.ok(BoxError.is(error, 'ABORTED'), String(error))
      assert.is((await again?.info())?.recovering, true, 'at once, not when the host had answered')
    }
    process.kill(pid, 'SIGKILL')
  }))

test('events by label are those of boxes that were removed too', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.create({ labels: { app: 'web' } })
    await runtime.create({ labels: { app: 'db' } })
    await box.remove()
    const types: string[] = []
    for await (const { event } of runtime.events({ labels: { app: 'web' } })) types.push(event.type)
    assert.equal(types, ['box.created', 'remove.requested', 'box.removed'])
  }))

test('what shuts down says so in the ending of a box that was not to outlive it', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm })
    const box = await first.create({ name: 'it', image, detach: false, stopTimeoutMs: 0 })
    await box.start()
    await first.shutdown()
    await using second = await BoxRuntime.open({ home, vmm })
    const { state, ending } = (await second.getInfo('it')) ?? {}
    assert.equal([state, ending?.cause], ['stopped', 'requested'])
    assert.match(ending?.message ?? '', /owner/)
  }))

test.run()
