// @timeout 300
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
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

const diskOf = (home: string, { id }: Box) => join(home, 'boxes', id, 'disks', 'root.img')
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** What e2fsck finds on a disk that was unmounted: a memory that did not belong to it would have spoilt it. */
function assertSound(home: string, box: Box): void {
  const args = ['-fn', diskOf(home, box)]
  const { status, stdout, stderr } = spawnSync('/usr/sbin/e2fsck', args, { encoding: 'utf8' })
  assert.is(status, 0, `${stdout}${stderr}`)
}

/** From the disk itself, not from the memory of the guest. */
const fromDisk = (path: string) => `echo 3 >/proc/sys/vm/drop_caches; cat ${path}`

needsQemu(test, 'memory and disk of a guest are of one moment, in the box and in its clone', () =>
  withRootImage(async (runtime, home) => {
    const box = await runtime.create({ image: 'disk', name: 'it', memoryMib: 128 })
    await box.start()
    await sh(box, 'echo on-disk >/root/old; sync; echo not-yet >/root/dirty; echo in-memory >/run/token')
    await box.snapshots.create('one')
    await sh(box, 'echo changed >/root/old; echo new >/root/new; rm /root/dirty; sync')
    assert.is(await sh(box, fromDisk('/root/old')), 'changed', 'it goes on after it was saved')

    const clone = await box.clone({ name: 'other', snapshot: 'one' })
    assert.is(await sh(clone, 'cat /run/token /root/dirty; ls /root'), 'in-memory\nnot-yet\ndirty\nold')
    await sh(clone, 'echo clone >/root/old; sync')
    assert.is(await sh(box, fromDisk('/root/old')), 'changed', 'the box knows nothing of it')
    await clone.stop()
    assertSound(home, clone)

    await sh(box, 'busybox dd if=/dev/urandom of=/root/new bs=64k count=64 conv=fsync 2>/dev/null')
    await box.pause()
    const held = hashOf(diskOf(home, box))
    await box.stop({ mode: 'force' })
    assert.is(hashOf(diskOf(home, box)), held, 'QEMU had nothing of the disk when it stood still')

    await box.snapshots.restore('one')
    assert.is(await sh(box, 'cat /run/token /root/dirty; ls /root'), 'in-memory\nnot-yet\ndirty\nold')
    await sh(box, 'echo more >/root/more; sync')
    assert.is(await sh(box, fromDisk('/root/old /root/dirty /root/more')), 'on-disk\nnot-yet\nmore')
    await box.stop()
    assertSound(home, box)
  }),
)

needsQemu(test, 'a box begins with a template and its disk, and boots with what it wrote', () =>
  withRootImage(async (runtime, home) => {
    await runtime.images.template('disk', { memoryMib: 128 })
    const box = await runtime.create({ image: 'disk', name: 'it', memoryMib: 128 })
    const other = await runtime.create({ image: 'disk', name: 'other', memoryMib: 128 })
    for (const each of [box, other]) {
      await each.start()
      assert.is(await sh(each, 'busybox hostname; cat /etc/motto'), `${each.name}\nmade of a directory`)
      await sh(each, `echo ${each.name} >/root/file; sync`)
    }
    assert.is(await sh(other, fromDisk('/root/file')), 'other')
    await other.stop()
    await box.restart()
    assert.is(await sh(box, 'cat /root/file'), 'it')
    await box.stop()
    for (const each of [box, other]) assertSound(home, each)
    const began: string[] = []
    for await (const { event } of box.events())
      if (event.type === 'vm.booted' || event.type === 'snapshot.restored') began.push(event.type)
    assert.equal(began, ['snapshot.restored', 'vm.booted'])
  }),
)

test.run()
