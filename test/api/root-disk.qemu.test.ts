// @timeout 300
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { ensureBuiltinImage } from '../../src/vmm/images/builtin.ts'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'
import { readCpio } from '../vmm/images/read-cpio.ts'

const test = suite('api: root file systems on disks')

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

/** With an image `disk` in the home. */
const withRuntime = (use: (runtime: BoxRuntime, home: string) => Promise<void>) =>
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

const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

needsQemu(test, 'what is written stays over a stop, a killed VMM and a start, in its own box only', () =>
  withRuntime(async (runtime, home) => {
    const image = join(home, 'images', 'disk', 'root')
    const before = hashOf(image)
    const box = await runtime.create({ image: 'disk', name: 'keeps' })
    await box.start()
    assert.ok((await box.info()).guestReady)
    const out = async (script: string) => {
      const { stdout, stderr, exitCode } = await box.exec('sh', ['-c', script])
      assert.equal([stderr, exitCode], ['', 0], script)
      return stdout
    }
    assert.is(
      await out('cat /etc/motto; ls /'),
      'made of a directory\nbin\ndev\netc\nlost+found\nproc\nroot\nrun\nsys\ntmp\n',
    )
    assert.match(await out('cat /proc/mounts'), /^\/dev\/vda \/ ext4 rw/m)
    await out('echo one >/root/kept; sync')
    const began = performance.now()
    await box.stop()
    console.log(`graceful stop of a guest on a disk: ${Math.round(performance.now() - began)} ms`)
    assert.is((await box.info()).ending?.cause, 'requested')
    for await (const { event } of runtime.events({ box: 'keeps', types: ['stop.rung'] }))
      if (event.type === 'stop.rung') assert.is(event.rung === 'power-cut', false, 'the guest went by itself')

    await box.start()
    assert.is(await out('cat /root/kept; echo two >>/root/kept; sync'), 'one\n')
    process.kill((await box.info()).pid ?? 0, 'SIGKILL')
    await box.wait()
    assert.is((await box.info()).state, 'crashed')

    await box.start()
    assert.is(await out('cat /root/kept'), 'one\ntwo\n')
    const other = await runtime.create({ image: 'disk' })
    const { stdout } = await other.exec('ls', ['/root'])
    assert.is(stdout, '')
    assert.is(hashOf(image), before, "the image's file is as it was")
    await box.remove({ force: true })
    assert.not.ok(existsSync(join(home, 'boxes', box.id)))
  }),
)

needsQemu(
  test,
  'a main command, its user and its environment, and files in and out are as in the built-in guest',
  () =>
    withRuntime(async (runtime, home) => {
      const script =
        'echo "$WHO $(id -u) $(busybox grep -c boxledger /etc/passwd) $PWD"; echo ran >>/tmp/runs; cat /tmp/runs; exit 7'
      const box = await runtime.create({
        image: 'disk',
        command: ['sh', '-c', script],
        env: { WHO: 'me' },
        user: '4711',
        workdir: '/var/x',
      })
      for (const runs of ['ran\n', 'ran\nran\n']) {
        await box.start()
        const { state, ending } = await box.wait()
        assert.equal([state, ending?.cause, ending?.exitCode], ['stopped', 'guest-poweroff', 7])
        const printed: Uint8Array[] = []
        for await (const piece of box.console({ of: 'command' })) printed.push(piece)
        assert.is(Buffer.concat(printed).toString(), `me 4711 1 /var/x\n${runs}`)
      }
      await box.remove()

      const copies = await runtime.create({ image: 'disk' })
      const from = join(home, 'from')
      writeFileSync(from, 'there and back')
      await copies.copyIn(from, '/srv/')
      await copies.copyOut('/srv/from', join(home, 'back'))
      assert.is(readFileSync(join(home, 'back'), 'utf8'), 'there and back')
      const { stdout } = await copies.exec('id', ['-u'], { user: 'user' })
      assert.is(stdout, '1000\n')
      await copies.stop()

      const disk = join(home, 'boxes', copies.id, 'disks', 'root.img')
      writeFileSync(disk, Buffer.alloc(statSync(disk).size))
      const refused = await copies.start().catch(error => error)
      assert.is(refused.code, 'VMM_GONE')
      const words: Uint8Array[] = []
      for await (const piece of copies.console()) words.push(piece)
      assert.match(Buffer.concat(words).toString(), /no root file system: \/dev\/vda holds no ext4/)
    }),
)

test.run()
