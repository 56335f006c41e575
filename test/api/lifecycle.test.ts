// @timeout 300
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime, type ErrorCode, type OpenOptions } from 'boxledger'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { eventually } from '../support/eventually.ts'
import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { ways } from './ways.ts'

/** The library's whole life cycle with the small guest, on each VMM that can be had. */
const vmms = [
  { name: 'emulator', vmm: { binary: instantVmm }, real: false },
  { name: 'cloud-hypervisor', vmm: { binary: 'cloud-hypervisor' }, real: true },
] as const

const rejects = async (code: ErrorCode, work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  assert.ok(BoxError.is(error, code), `${code}, not ${error}`)
  return error
}

for (const { name, vmm, real, way } of vmms.flatMap(one => ways.map(way => ({ ...one, way })))) {
  const test = suite(`api: life cycle on ${name}, ${way.name}`)
  const on = (
    what: string,
    use: (runtime: BoxRuntime, home: string, end: () => Promise<void>) => Promise<void>,
  ) => {
    const body = () =>
      withTempDir(async home => {
        const opened = await way.open({ home, vmm } as OpenOptions)
        const end = async () => opened[Symbol.asyncDispose]()
        try {
          await use(opened.runtime, home, end)
        } finally {
          await end()
          await using last = await BoxRuntime.open({ home, vmm } as OpenOptions)
          for (const { id } of await last.listInfo()) await last.remove(id, { force: true })
          assert.equal(vmmsOf(home), [])
        }
      })
    if (real) needsCloudHypervisor(test, `${what}, on the real VMM`, body)
    else test(what, body)
  }
  const image = smallGuest('idle')
  const eventsOf = async (runtime: BoxRuntime, id: string) => {
    const types: string[] = []
    for await (const { event } of runtime.history(id)) types.push(event.type)
    return types
  }

  on('start, pause, resume, stop, remove', async (runtime, home) => {
    const box = await runtime.create({ name: 'it', image, stopTimeoutMs: 200 })
    const states: string[] = []
    box.state$.subscribe(({ state }) => {
      if (states.at(-1) !== state) states.push(state)
    })
    assert.is((await box.info()).state, 'configured')
    await box.start()
    await box.start()
    const info = await box.info()
    assert.is(info.state, 'running')
    assert.equal(vmmsOf(home), [{ pid: info.pid, box: box.id, incarnation: 1 }])
    await box.pause()
    await box.pause()
    assert.is((await box.info()).state, 'paused')
    await box.resume()
    await box.resume()
    await rejects('INVALID_STATE', box.remove())
    await box.stop()
    await box.stop()
    const stopped = await box.info()
    assert.equal([stopped.state, stopped.ending?.cause], ['stopped', 'requested'])
    assert.equal(vmmsOf(home), [])
    await box.start()
    assert.is((await box.info()).incarnation, 2)
    await box.stop({ mode: 'kill' })
    await box.remove()
    assert.not.ok(existsSync(join(home, 'boxes', box.id)))
    assert.equal(states, [
      'configured',
      'starting',
      'running',
      'paused',
      'running',
      'stopping',
      'stopped',
      'starting',
      'running',
      'stopping',
      'stopped',
      'removing',
      'removed',
    ])
    const types = await eventsOf(runtime, box.id)
    assert.equal(types.slice(0, 8), [
      'box.created',
      'start.requested',
      'start.stage',
      'start.stage',
      'vmm.spawned',
      'vmm.ready',
      'vm.created',
      'vm.booted',
    ])
    assert.equal(
      types.filter(type => type === 'stop.rung' || type === 'timer.fired').slice(0, 4),
      ['stop.rung', 'timer.fired', 'stop.rung', 'timer.fired'],
      'each rung is recorded',
    )
    assert.ok((await runtime.verify({ replay: true })).ok)
  })

  on('the guest powers off by itself: stopped, not crashed', async runtime => {
    const box = await runtime.create({ image: smallGuest('off') })
    await box.start()
    const info = await box.wait()
    assert.equal([info.state, info.ending?.cause], ['stopped', 'guest-poweroff'])
  })

  on('the VMM is killed: crashed, with the signal, and it starts again', async runtime => {
    const box = await runtime.create({ image, stopTimeoutMs: 0 })
    await box.start()
    process.kill((await box.info()).pid as number, 'SIGKILL')
    const info = await box.wait()
    assert.equal([info.state, info.ending?.cause, info.ending?.vmm?.signal], ['crashed', 'crash', 'SIGKILL'])
    await box.start()
    assert.is((await box.info()).state, 'running')
  })

  on('SIGTERM by somebody else: stopped, external', async runtime => {
    const box = await runtime.create({ image })
    await box.start()
    process.kill((await box.info()).pid as number, 'SIGTERM')
    const info = await box.wait()
    assert.equal([info.state, info.ending?.cause], ['stopped', 'external'])
  })

  on('a kernel that is missing: BOOT_FAILED with the words of the VMM, the box failed', async runtime => {
    const box = await runtime.create({ image: { kernel: '/nowhere/vmlinux' } })
    const error = await rejects('BOOT_FAILED', box.start())
    assert.ok(Array.isArray(error.details.vmm) && error.details.vmm.length > 1)
    const info = await box.info()
    assert.equal([info.state, info.ending?.cause], ['failed', 'boot-failed'])
    assert.type(info.ending?.logTail ?? '', 'string')
    await rejects('BOOT_FAILED', box.start())
    assert.is((await box.info()).incarnation, 2)
  })

  on('stop during a start: the start is ABORTED, the box stopped', async runtime => {
    const box = await runtime.create({ image })
    const started = rejects('ABORTED', box.start())
    await box.waitFor('busy')
    await box.stop({ mode: 'kill' })
    await started
    assert.is((await box.info()).state, 'stopped')
  })

  on('a restart gives a new VMM', async runtime => {
    const box = await runtime.create({ image, stopTimeoutMs: 0 })
    await box.start()
    const before = await box.info()
    await box.restart()
    const after = await box.info()
    assert.equal([after.state, after.incarnation], ['running', 2])
    assert.not.equal(after.pid, before.pid)
    assert.ok((await runtime.verify({ replay: true })).ok)
  })

  on(
    'close leaves boxes; the next owner finds what they are, and what they did meanwhile',
    async (first, home, end) => {
      const stays = await first.create({ name: 'stays', image, stopTimeoutMs: 0 })
      const leaves = await first.create({ name: 'leaves', image: smallGuest('late') })
      const dies = await first.create({ name: 'dies', image })
      for (const box of [stays, leaves, dies]) await box.start()
      const { pid } = await stays.info()
      const { pid: doomed } = await dies.info()
      await end()
      process.kill(doomed as number, 'SIGKILL')
      const serial = join(home, 'boxes', leaves.id, '1', 'serial.log')
      await eventually(() => readFileSync(serial, 'utf8').includes('guest: poweroff'), { timeoutMs: 20_000 })
      await using again = await way.open({ home, vmm } as OpenOptions)
      const second = again.runtime
      const found = async (name: string) => {
        const box = await second.get(name)
        return box?.waitFor(info => !info.recovering && info.state !== 'stopping', { timeoutMs: 20_000 })
      }
      assert.equal([(await found('stays'))?.state, (await found('stays'))?.pid], ['running', pid])
      assert.equal(
        [(await found('leaves'))?.state, (await found('leaves'))?.ending?.cause],
        ['stopped', 'guest-poweroff'],
      )
      assert.equal([(await found('dies'))?.state, (await found('dies'))?.ending?.cause], ['crashed', 'crash'])
      const version = (await found('stays'))?.version
      assert.is(version, 8, 'nothing has changed for the box that stayed')
    },
  )

  test.run()
}
