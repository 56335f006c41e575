import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { ensureBuiltinImage } from '../../src/vmm/images/builtin.ts'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'
import { readCpio } from '../vmm/images/read-cpio.ts'

/** A root file system of busybox alone, which has less than the built-in guest. */
function makeRoot(root: string, initramfs: string): void {
  const [entries = []] = readCpio(readFileSync(initramfs))
  const busybox = entries.find(({ path }) => path === 'bin/busybox')
  for (const dir of ['bin', 'etc', 'root']) mkdirSync(join(root, dir), { recursive: true })
  writeFileSync(join(root, 'bin', 'busybox'), busybox?.data ?? '')
  chmodSync(join(root, 'bin', 'busybox'), 0o755)
  for (const name of ['sh', 'cat', 'sync', 'id', 'ls', 'df']) symlinkSync('busybox', join(root, 'bin', name))
  writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n')
  writeFileSync(join(root, 'etc', 'motto'), 'made of a directory\n')
}

/** With an image `disk` in the home, which has a root file system on a disk. */
export const withRootImage = (use: (runtime: BoxRuntime, home: string) => Promise<void>) =>
  withTempDir(async dir => {
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    const { kernel, initramfs } = await ensureBuiltinImage({ dir: testImages() })
    const home = join(dir, 'home')
    mkdirSync(join(home, 'images'), { recursive: true, mode: 0o700 })
    symlinkSync(dirname(kernel), join(home, 'images', basename(dirname(kernel))))
    chmodSync(home, 0o700)
    const root = join(dir, 'root')
    makeRoot(root, initramfs)
    const runtime = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
    try {
      await runtime.images.add('disk', { root, sizeMib: 64 })
      await use(runtime, home)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await runtime.close()
      assert.equal(vmmsOf(home), [])
    }
  })
