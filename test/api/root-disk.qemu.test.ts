// @timeout 300
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withRootImage } from './root-image.ts'

const test = suite('api: root file systems on disks')

const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

needsQemu(test, 'what is written stays over a stop, a killed VMM and a start, in its own box only', () =>
  withRootImage(async (runtime, home) => {
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
    withRootImage(async (runtime, home) => {
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
