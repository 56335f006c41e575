// @timeout 300
import { mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { ensureBuiltinImage } from '../../src/vmm/images/builtin.ts'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'

const test = suite('api: templates of real guests')

/** A home that shares the built-in guest with other tests, and nothing else: templates change how boxes start. */
const inAHome = (body: (runtime: BoxRuntime, home: string) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const images = join(home, 'images')
    mkdirSync(images, { recursive: true, mode: 0o700 })
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    await ensureBuiltinImage({ dir: testImages() })
    for (const name of readdirSync(testImages()))
      if (name.startsWith('builtin-')) symlinkSync(join(testImages(), name), join(images, name))
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
    try {
      await body(runtime, home)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

const sh = async (box: Box, script: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await box.exec('sh', ['-c', script])
  if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}: ${stderr}`)
  return stdout.trim()
}

/** The room that a saved memory takes on the disk, in `bytes`. */
const roomOf = (...path: readonly string[]): number => statSync(join(...path, 'memory-ranges')).blocks * 512

/** All that tells one machine from another, a line each. */
const identity = [
  'hostname',
  'cat /proc/sys/kernel/random/boot_id',
  'cat /sys/class/dmi/id/product_uuid',
  'head -c 32 /dev/urandom | od -An -v -tx1 | tr -d " \\n"; echo',
  'cat /proc/sys/kernel/random/uuid',
].join('; ')

async function beganWith(box: Box): Promise<string[]> {
  const types: string[] = []
  for await (const { event } of box.events())
    if (event.type === 'vm.booted' || event.type === 'snapshot.restored') types.push(event.type)
    else if (event.type === 'start.stage' && event.passedOver) types.push(event.passedOver.code)
  return types
}

needsQemu(test, 'boxes that begin with a template are machines of their own, as if they had booted', () =>
  inAHome(async (runtime, home) => {
    await runtime.images.template('builtin')
    const room = roomOf(home, 'images', '.templates', 'builtin', '1x256')
    assert.ok(room > 10 << 20)
    assert.equal(await runtime.listInfo(), [])

    const one = await runtime.create({ name: 'one' })
    const other = await runtime.create({ env: { A: 'b' } })
    const seen: string[][] = []
    for (const box of [one, other]) {
      await box.start()
      const { guestReady, incarnation } = await box.info()
      assert.equal([guestReady, incarnation], [true, 1])
      assert.equal(await beganWith(box), ['snapshot.restored'])
      seen.push((await sh(box, identity)).split('\n'))
      const clock = Number(await sh(box, 'date +%s'))
      assert.ok(Math.abs(clock - Date.now() / 1_000) < 3, `its clock is right: ${clock}`)
      const booted = Number(await sh(box, 'date +%s')) - Number.parseFloat(await sh(box, 'cat /proc/uptime'))
      const btime = Number(await sh(box, "sed -n 's/^btime //p' /proc/stat"))
      assert.ok(Math.abs(booted - btime) < 3, 'and so is the time that it has booted at')
    }
    assert.equal([seen[0]?.[0], seen[1]?.[0]], ['one', other.id])
    for (const n of seen[0]?.keys() ?? []) assert.is.not(seen[0]?.[n], seen[1]?.[n], `line ${n} of who it is`)
    assert.is(await sh(other, 'echo $A'), 'b')

    // Its memory is its template's still, but for what it has changed, and can be saved as any other.
    await sh(one, 'echo kept >/tmp/kept')
    await one.snapshots.create('warm')
    assert.is(await sh(one, 'cat /tmp/kept; rm /tmp/kept'), 'kept')
    await one.stop({ mode: 'kill' })
    await one.snapshots.restore('warm')
    assert.is(await sh(one, 'cat /tmp/kept'), 'kept')
    assert.equal((await sh(one, identity)).split('\n').slice(0, 3), seen[0]?.slice(0, 3))
    await one.stop({ mode: 'kill' })

    // Again and again; a guest that reboots is one that boots, and is ready again with nobody's help.
    await other.stop()
    assert.is((await other.info()).ending?.cause, 'requested')
    await other.start()
    assert.equal(await beganWith(other), ['snapshot.restored', 'snapshot.restored'])
    assert.is.not(await sh(other, 'cat /proc/sys/kernel/random/boot_id'), seen[1]?.[1])
    const rebooted = other.exec('reboot', ['-f'])
    await other.waitFor(({ reboots, guestReady }) => reboots === 1 && guestReady)
    await rebooted.wait().catch(() => {})
    // Booted now, and nothing of the same box is another.
    const [name, , uuid] = (await sh(other, identity)).split('\n')
    assert.equal([name, uuid], [seen[1]?.[0], seen[1]?.[2]])
    await other.snapshots.create('booted')
    const booted = roomOf(home, 'boxes', other.id, 'snapshots', 'booted')
    assert.ok(room < booted * 0.95, `of ${room} and ${booted} bytes none are of free memory`)
  }),
)

test.run()
