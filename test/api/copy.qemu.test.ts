// @timeout 300
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Box, CopyProgress } from 'boxledger'
import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'

const test = suite('api: files into a guest and out of it')

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (BoxError.is(error) ? error.code : error),
  )

needsQemu(test, 'in and out, of a box that is not up yet, through the library and the socket', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    mkdirSync(home, { mode: 0o700 })
    symlinkSync(testImages(), join(home, 'images'))
    const from = join(dir, 'from')
    mkdirSync(join(from, 'sub'), { recursive: true })
    writeFileSync(join(from, 'sub', 'text'), 'here and back')
    writeFileSync(join(from, 'big'), Buffer.alloc(8 << 20, 'x'))
    const owner = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
    const client = await BoxRuntime.connect({ home })
    try {
      await owner.create({ name: 'it' })
      for (const [way, runtime] of Object.entries({ owner, client })) {
        const box = (await runtime.get('it')) as Box
        const seen: CopyProgress[] = []
        await box.copyIn(from, `/srv/${way}`, { onProgress: progress => void seen.push(progress) })
        await box.copyOut(`/srv/${way}`, join(dir, way))
        assert.ok((seen.at(-1)?.bytes ?? 0) > 8 << 20, 'progress is told')
        assert.is(readFileSync(join(dir, way, 'sub', 'text'), 'utf8'), 'here and back')
        assert.ok(readFileSync(join(dir, way, 'big')).equals(readFileSync(join(from, 'big'))))
        assert.is(await codeOf(box.copyOut('/srv/none', dir)), 'NOT_FOUND')
        assert.is(await codeOf(box.copyIn(join(dir, 'none'), '/srv')), 'NOT_FOUND')
        assert.is(await codeOf(box.copyIn(from, 'relative')), 'INVALID_ARGUMENT')
        assert.is(await codeOf(box.copyIn(from, '/proc/x/y')), 'INVALID_ARGUMENT')
        assert.is(await codeOf(box.copyIn(from, '/srv', { signal: AbortSignal.abort() })), 'ABORTED')
        await box.pause()
        assert.is(await codeOf(box.copyOut('/srv', dir)), 'INVALID_STATE')
        await box.resume()
        // What the guest has in memory is gone with its incarnation, and the way to it is made anew.
        await box.restart()
        assert.is(await codeOf(box.copyOut(`/srv/${way}`, dir)), 'NOT_FOUND')
        await box.copyOut('/etc/os-release', dir)
      }
      assert.match(readFileSync(join(dir, 'os-release'), 'utf8'), 'ID=boxledger')
    } finally {
      await client.close()
      await owner.remove('it', { force: true })
      await owner.close()
    }
  }),
)

test.run()
