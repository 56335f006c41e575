import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Test } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { descriptorsOf, processesWith, statOf } from './processes.ts'
import type { TestedVmm } from './vmms.ts'
import { guest, runDir, withClient, withLoop } from './with-loop.ts'

export function testStarting(test: Test, { name, choice: vmm, register }: TestedVmm): void {
  register(test, 'a start goes from process to running', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      assert.equal(loop.types(), [
        'start.requested',
        'start.stage',
        'start.stage',
        'vmm.spawned',
        'vmm.ready',
        'vm.created',
        'vm.booted',
      ])
      assert.match(loop.state.context.vmmVersion ?? '', /^\d+\.\d+/)
      const dir = runDir(loop)
      assert.match(readFileSync(`/proc/${loop.pid}/cmdline`, 'utf8'), dir)
      assert.is(statOf(loop.pid)[3], String(loop.pid), 'a session of its own')
      assert.is(statSync(dir).mode & 0o777, 0o700)
      for (const file of ['out', 'err', 'alive']) assert.is(statSync(join(dir, file)).mode & 0o777, 0o600)
      const open = descriptorsOf(loop.pid)
      assert.ok(open.includes('/dev/null') && open.includes(join(dir, 'alive')))
      assert.ok(!descriptorsOf('self').includes(join(dir, 'alive')))
    })
  })

  register(test, 'every start has a fresh run directory, and the last five stay', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      for (let n = 1; n <= 7; n++) {
        await loop.start()
        loop.send({ type: 'stop.requested', mode: 'kill' })
        await loop.reach('stopped')
      }
      const there = [1, 2, 3, 4, 5, 6, 7].filter(n => {
        return statSync(join(runDir(loop), '..', String(n)), { throwIfNoEntry: false })
      })
      assert.equal(there, [3, 4, 5, 6, 7])
      loop.send({ type: 'remove.requested', force: false })
      await loop.reach('removed')
      assert.is(statSync(join(runDir(loop), '..'), { throwIfNoEntry: false }), undefined)
    })
  })

  register(test, 'a kernel that is not there fails the boot in the words of the VMM', async () => {
    const spec = { image: { kernel: '/nowhere/vmlinux', cmdline: 'mode=tick' } }
    await withLoop({ vmm, spec }, async loop => {
      await loop.start('failed')
      const { ending } = loop.state.context
      assert.is(ending?.code, 'BOOT_FAILED')
      assert.is(ending?.cause, 'boot-failed')
      const messages = ending?.details?.vmm as string[]
      assert.ok(Array.isArray(messages) && messages.length > 1, JSON.stringify(messages))
      assert.equal(processesWith(loop.options.home), [])
    })
  })

  register(test, 'a disk that is not there or not what it should be fails the boot', async () => {
    const disk = (path: string) => ({ ...guest('tick'), disks: [{ path, format: 'qcow2' as const }] })
    for (const path of ['/nowhere/disk.img', new URL(import.meta.url).pathname]) {
      await withLoop({ vmm, spec: disk(path) }, async loop => {
        await loop.start('failed')
        assert.is(loop.state.context.ending?.code, 'BOOT_FAILED', path)
        assert.equal(processesWith(loop.options.home), [])
      })
    }
  })

  register(test, 'a disk is given to the VM', async () => {
    await withTempDir(async dir => {
      const path = join(dir, 'disk.raw')
      writeFileSync(path, Buffer.alloc(1 << 20))
      await withLoop({ vmm, spec: { ...guest('tick'), disks: [{ path }] } }, async loop => {
        await loop.start()
        await withClient(loop, async client => {
          const disks = (await client.info())?.config.disks as
            | { path: string; image_type: string }[]
            | undefined
          assert.equal(
            disks?.map(({ path, image_type }) => [path, image_type]),
            [[path, 'Raw']],
          )
        })
      })
    })
  })

  register(test, 'a start is cut off by a stop wherever it is', async () => {
    for (const type of ['start.stage', 'vmm.spawned', 'vmm.ready', 'vm.created'] as const) {
      for (const mode of ['graceful', 'kill'] as const) {
        await withLoop({ vmm, spec: guest('tick') }, async loop => {
          loop.send({ type: 'start.requested' })
          await loop.until(() => loop.types().includes(type), type)
          loop.send({ type: 'stop.requested', mode })
          await loop.until(() => !loop.state.context.open, `the stop after ${type}`)
          assert.is(loop.public, 'stopped', `${type} ${mode}`)
          assert.is(loop.state.context.ending?.cause, 'requested')
        })
      }
    }
  })

  if (name === 'cloud-hypervisor')
    register(test, 'the VMM is confined', async () => {
      await withLoop({ vmm, spec: guest('tick') }, async loop => {
        await loop.start()
        const threads = readdirSync(`/proc/${loop.pid}/task`)
        // The first thread only waits for the others.
        for (const id of threads.filter(thread => thread !== String(loop.pid))) {
          const status = readFileSync(`/proc/${loop.pid}/task/${id}/status`, 'utf8')
          assert.match(status, /^NoNewPrivs:\t1$/m)
          assert.match(status, /^Seccomp:\t2$/m)
        }
      })
    })
}
