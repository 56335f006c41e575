// @timeout 120
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import type { VmmReading } from 'boxledger/vmm'
import * as assert from 'uvu/assert'
import { vmmHands } from '../../src/vmm/vmm-driver.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { agentBox, inABox } from './exec/in-a-box.ts'
import { ways } from './ways.ts'

const MiB = 1024 * 1024
const stages = ['queued', 'preparing', 'spawning', 'connecting', 'creating', 'booting']

for (const way of ways) {
  const test = suite(`api: metrics of a box, ${way.name}`)

  test('up, they tell of its VMM; down, what the ledger tells; nothing that nobody knows', () =>
    inABox(way, async ({ home, runtime }) => {
      writeFileSync(join(home, 'disk.raw'), Buffer.alloc(MiB))
      const disks = [{ path: join(home, 'disk.raw'), format: 'raw' }] as const
      const box = await runtime.create({ ...agentBox, memoryMib: 128, disks: [...disks] })
      const { at, ...fresh } = await box.metrics()
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
      const counts = { executions: 0, restarts: 0, reboots: 0 }
      assert.equal(fresh, { state: 'configured', incarnation: 0, ...counts })

      await box.start()
      await box.exec('true')
      const { cpu, memory, disks: used, net, start, uptimeMs, ...rest } = await box.metrics()
      assert.equal(
        { ...rest, at: '' },
        { at: '', state: 'running', incarnation: 1, ...counts, executions: 1 },
      )
      assert.ok(cpu !== undefined && cpu.timeMs > 0 && cpu.use > 0, JSON.stringify(cpu))
      assert.ok((memory?.residentBytes ?? 0) > MiB, JSON.stringify(memory))
      assert.is(memory?.guestBytes, 128 * MiB)
      assert.equal(Object.values(used ?? {}), [{ readBytes: 0, readOps: 0, writeBytes: 0, writeOps: 0 }])
      assert.equal(net, {})
      assert.ok(uptimeMs !== undefined && uptimeMs >= 0)
      assert.equal(Object.keys(start?.stages ?? {}), stages)
      assert.is(
        start?.totalMs,
        Object.values(start?.stages ?? {}).reduce((sum, ms) => sum + ms, 0),
      )

      await box.stop({ mode: 'kill' })
      const down = await box.metrics()
      assert.equal(
        { ...down, at: '' },
        { at: '', state: 'stopped', incarnation: 1, ...counts, executions: 1, start },
      )
      await box.start()
      const again = await box.metrics()
      assert.is(again.incarnation, 2)
      assert.ok((again.start?.at ?? '') > (start?.at ?? ''), 'of the last start')
      await box.remove({ force: true })
      const gone = await box.metrics()
      assert.equal([gone.state, gone.executions, gone.cpu], ['removed', 1, undefined])
    }))

  test.run()
}

const test = suite('api: metrics of a box')

test('a VMM is looked at once a second, whoever asks; its use is that since the look before', () =>
  withTempDir(async dir => {
    let readings = 0
    let monotonic = 0
    const usage = (): VmmReading => {
      readings += 1
      return { usage: { cpuMs: 500 + 750 * (readings - 1), lifeMs: 2_000, residentBytes: readings } }
    }
    await using runtime = await BoxRuntime.open({
      home: join(dir, 'home'),
      vmm: { binary: instantVmm },
      clock: {
        now: () => Date.now(),
        monotonic: () => monotonic,
        setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
        clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
      },
      seams: { hands: { ...vmmHands, looks: { ...vmmHands.looks, measure: async () => usage() } } },
    })
    const box = await runtime.create({ image: smallGuest('idle') })
    await box.metrics()
    assert.is(readings, 0, 'there is nothing to look at')
    await box.start()
    try {
      const first = await Promise.all([box.metrics(), box.metrics(), box.metrics()])
      assert.equal(
        first.map(({ cpu }) => cpu),
        Array.from({ length: 3 }, () => ({ timeMs: 500, use: 0.25 })),
      )
      monotonic = 999
      await box.metrics()
      assert.is(readings, 1)
      monotonic = 1_500
      assert.equal((await box.metrics()).cpu, { timeMs: 1250, use: 0.5 })
      assert.is(readings, 2)
      await box.stop({ mode: 'kill' })
      await box.start()
      assert.equal((await box.metrics()).cpu?.use, 1, 'that of another VMM is no look before')
    } finally {
      await box.stop({ mode: 'kill' })
    }
  }))

test.run()
