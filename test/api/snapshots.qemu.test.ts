// @timeout 300
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Box, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'

const test = suite('api: snapshots of real guests')

const inAHome = (body: (runtime: BoxRuntime, home: string) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    mkdirSync(home, { mode: 0o700 })
    symlinkSync(testImages(), join(home, 'images'))
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

const count = async (box: Box): Promise<number> => Number(await sh(box, 'cat /tmp/n'))

/** A loop that counts in the guest, left behind by a command that has ended. */
const counter = 'n=0; while :; do n=$((n + 1)); echo $n >/tmp/m; mv /tmp/m /tmp/n; sleep 0.1; done'

needsQemu(test, 'a guest goes on from where it was saved, with the right time', () =>
  inAHome(async runtime => {
    const box = await runtime.create({ name: 'it' })
    await box.start()
    await sh(box, `(${counter}) >/dev/null 2>&1 </dev/null &`)
    // One that is still run, too.
    const running = box.exec('sh', [
      '-c',
      counter.replaceAll('/tmp/m', '/tmp/o').replaceAll('/tmp/n', '/tmp/p'),
    ])
    running.wait().catch(() => {})
    await sleep(1_000)
    const before = await count(box)
    const made = await box.snapshots.create('one')
    assert.ok(made.bytes > 1 << 20)
    await sleep(6_000)
    const later = await count(box)
    assert.ok(later > before + 5, `it goes on after it was saved: ${before}, then ${later}`)
    await box.stop({ mode: 'kill' })

    await box.snapshots.restore('one')
    const info = await box.info()
    assert.is(info.state, 'running')
    assert.ok(info.guestReady)
    const restored = await count(box)
    assert.ok(restored >= before && restored < later, `${before}, restored ${restored}, was ${later}`)
    await sleep(1_000)
    assert.ok((await count(box)) > restored, 'it goes on')
    const other = Number(await sh(box, 'cat /tmp/p'))
    await sleep(500)
    assert.ok(Number(await sh(box, 'cat /tmp/p')) > other, 'so does what was being run')
    const clock = Number(await sh(box, 'date +%s'))
    assert.ok(Math.abs(clock - Date.now() / 1_000) < 3, `its clock is right: ${clock}`)
  }),
)

needsQemu(test, 'a clone goes on beside the box, as somebody else', () =>
  inAHome(async runtime => {
    const box = await runtime.create({ name: 'it', labels: { a: 'b' } })
    await box.start()
    await sh(
      box,
      'mkdir -p /etc/ssh; echo 0123456789abcdef0123456789abcdef >/etc/machine-id; echo here >/tmp/file',
    )
    const clone = await box.clone({ name: 'other' })
    assert.is(clone.name, 'other')
    assert.is.not(clone.id, box.id)
    assert.equal((await clone.info()).labels, { a: 'b' })
    assert.equal(await box.snapshots.list(), [], 'what was made for it is gone')
    assert.is((await box.info()).state, 'running')
    assert.is(await sh(clone, 'cat /tmp/file'), 'here')
    assert.is(await sh(clone, 'hostname'), 'other')
    assert.is.not(await sh(box, 'hostname'), 'other')
    const id = await sh(clone, 'cat /etc/machine-id')
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.is.not(id, await sh(box, 'cat /etc/machine-id'))
    const random = 'head -c 16 /dev/urandom | od -An -tx1'
    assert.is.not(await sh(clone, random), await sh(box, random))
    await box.remove({ force: true })
    assert.is(await sh(clone, 'cat /tmp/file'), 'here', 'it needs nothing of the box')
  }),
)

needsQemu(test, 'a main command goes on, and ends its box as ever', () =>
  inAHome(async runtime => {
    const script = 'n=0; while [ $n -lt 30 ]; do n=$((n + 1)); echo $n $TOKEN; sleep 0.1; done; exit 7'
    const box = await runtime.create({
      command: ['sh', '-c', script],
      env: { TOKEN: { secret: 'token' } },
      secrets: { token: 'correct-horse' },
    })
    await box.start()
    await sleep(500)
    await box.snapshots.create('one')
    await box.stop({ mode: 'kill' })
    const clone = await box.clone({ snapshot: 'one' })
    await box.snapshots.restore('one')
    for (const each of [box, clone]) {
      const { state, ending } = await each.wait()
      assert.equal([state, ending?.cause, ending?.exitCode], ['stopped', 'guest-poweroff', 7])
      let text = ''
      for await (const bytes of each.console()) text += Buffer.from(bytes).toString('latin1')
      assert.match(text, '30 correct-horse')
      assert.not.match(text, /^1 correct-horse/m)
    }
  }),
)

test.run()
