// @timeout 300
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Box } from 'boxledger'
import * as assert from 'uvu/assert'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withRootImage } from './root-image.ts'

const test = suite('api: disks in snapshots of real guests')

const sh = async (box: Box, script: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await box.exec('sh', ['-c', script])
  if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}: ${stderr}`)
  return stdout.trim()
}

/** What e2fsck finds on a disk that was unmounted: a memory that did not belong to it would have spoilt it. */
function assertSound(home: string, { id }: Box): void {
  const disk = join(home, 'boxes', id, 'disks', 'root.img')
  const { status, stdout, stderr } = spawnSync('/usr/sbin/e2fsck', ['-fn', disk], { encoding: 'utf8' })
  assert.is(status, 0, `${stdout}${stderr}`)
}

/** From the disk itself, not from the memory of the guest. */
const fromDisk = (path: string) => `echo 3 >/proc/sys/vm/drop_caches; cat ${path}`

needsQemu(test, 'memory and disk of a guest go on together, from where they were saved', () =>
  withRootImage(async (runtime, home) => {
    const box = await runtime.create({ image: 'disk', name: 'it', memoryMib: 128 })
    await box.start()
    await sh(box, 'echo on-disk >/root/old; sync; echo not-yet >/root/dirty; echo in-memory >/run/token')
    await box.snapshots.create('one')
    await sh(box, 'echo changed >/root/old; echo new >/root/new; rm /root/dirty; sync')
    assert.is(await sh(box, fromDisk('/root/old')), 'changed', 'it goes on after it was saved')
    await box.stop({ mode: 'kill' })

    await box.snapshots.restore('one')
    assert.is(await sh(box, 'cat /run/token /root/dirty; ls /root'), 'in-memory\nnot-yet\ndirty\nold')
    await sh(box, 'echo more >/root/more; sync')
    assert.is(await sh(box, fromDisk('/root/old /root/dirty /root/more')), 'on-disk\nnot-yet\nmore')
    await box.stop()
    assertSound(home, box)
    await box.start()
    assert.is(await sh(box, 'cat /root/*'), 'not-yet\nmore\non-disk', 'a boot finds what it wrote')
  }),
)

needsQemu(test, 'a clone has the files of the box, and neither sees what the other writes', () =>
  withRootImage(async (runtime, home) => {
    const box = await runtime.create({ image: 'disk', name: 'it', memoryMib: 128 })
    await box.start()
    await sh(box, 'echo both >/root/file')
    await box.pause()
    await box.snapshots.create('one')
    await box.resume()
    const clone = await box.clone({ name: 'other', snapshot: 'one' })
    assert.is(await sh(clone, 'cat /root/file'), 'both')
    await sh(clone, 'echo clone >/root/file; sync')
    await sh(box, 'echo box >/root/file; sync')
    assert.is(await sh(clone, fromDisk('/root/file')), 'clone')
    assert.is(await sh(box, fromDisk('/root/file')), 'box')
    for (const each of [clone, box]) {
      await each.stop()
      assertSound(home, each)
    }
    await clone.start()
    assert.is(await sh(clone, 'cat /root/file'), 'clone', 'it is its own')
  }),
)

test.run()
