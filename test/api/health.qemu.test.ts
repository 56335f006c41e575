// @timeout 300
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'

const test = suite('api: a guest that is looked at')

needsQemu(test, 'its health, its numbers and what its command prints', () =>
  withTempDir(async home => {
    await mkdir(testImages(), { recursive: true, mode: 0o700 })
    await symlink(testImages(), join(home, 'images'))
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
    const box = await runtime.create({
      memoryMib: 128,
      env: { GREETING: 'hello' },
      command: ['sh', '-c', 'echo one; echo "$GREETING"; touch /run/well; exec sleep 1000'],
      health: {
        command: ['sh', '-c', 'test "$GREETING" = hello && test -e /run/well'],
        ...{ intervalMs: 500, timeoutMs: 20_000, retries: 1, startPeriodMs: 30_000 },
      },
    })
    try {
      await box.start()
      await box.waitFor(info => info.health === 'healthy', { timeoutMs: 60_000 })
      let printed = ''
      for await (const bytes of box.console({ of: 'command', follow: true })) {
        printed += Buffer.from(bytes).toString('latin1')
        if (printed.endsWith('hello\n')) break
      }
      assert.is(printed, 'one\nhello\n')
      const { cpu, memory, start, executions } = await box.metrics()
      assert.ok((cpu?.timeMs ?? 0) > 0 && (memory?.residentBytes ?? 0) > 0)
      assert.equal([memory?.guestBytes, executions], [128 * 1024 * 1024, 0])
      assert.ok((start?.stages.waiting ?? 0) > 0, 'its guest took its time')

      await box.exec('rm', ['/run/well'])
      await box.waitFor(info => info.health === 'unhealthy', { timeoutMs: 60_000 })
      await box.restart()
      const { incarnation } = await box.waitFor(info => info.health === 'healthy', { timeoutMs: 60_000 })
      assert.is(incarnation, 2)
    } finally {
      await box.remove({ force: true })
    }
    assert.equal(vmmsOf(home), [])
  }),
)

test.run()
