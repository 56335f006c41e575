// @timeout 300
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { eventually } from '../support/eventually.ts'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'

const test = suite('api: the built-in guest')

/** A process may have ended, or be nobody's to look at. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const withRuntime = (use: (runtime: BoxRuntime, home: string) => Promise<void>) =>
  withTempDir(async home => {
    await mkdir(testImages(), { recursive: true, mode: 0o700 })
    await symlink(testImages(), join(home, 'images'))
    const runtime = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
    try {
      await use(runtime, home)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await runtime.close()
      assert.equal(vmmsOf(home), [])
    }
  })

const text = async (bytes: AsyncIterable<Uint8Array>) => {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts).toString()
}

needsQemu(test, 'a Linux guest boots, says that it is ready, and obeys its power button', () =>
  withRuntime(async runtime => {
    const box = await runtime.create({ name: 'hello' })
    await box.start()
    const info = await box.info()
    assert.equal([info.state, info.guestReady], ['running', true])
    assert.match(await text(box.console()), /boxledger: ready/)
    const began = performance.now()
    await box.stop()
    console.log(`graceful stop of a Linux guest: ${Math.round(performance.now() - began)} ms`)
    assert.equal((await box.info()).ending?.cause, 'requested')
    const rungs: unknown[] = []
    for await (const { event } of runtime.events({ box: 'hello', types: ['stop.rung'] }))
      if (event.type === 'stop.rung') rungs.push(event.rung)
    assert.equal(rungs[0], 'power-button')
    assert.not.ok(rungs.includes('power-cut'), 'the guest went by itself')
  }),
)

needsQemu(test, 'a secret reaches the command of its box, and nobody else', () =>
  withRuntime(async (runtime, home) => {
    const secret = 'correct-horse-battery-staple'
    const sum = spawnSync('sha256sum', { input: secret, encoding: 'utf8' }).stdout.slice(0, 64)
    const box = await runtime.create({
      command: ['sh', '-c', 'printf %s "$TOKEN" | sha256sum; sleep 60'],
      env: { TOKEN: { secret: 'token' } },
      secrets: { token: secret },
    })
    await box.start()
    await eventually(async () => (await text(box.console())).includes(sum), { timeoutMs: 20_000 })
    const found = spawnSync('grep', ['-rlF', '--devices=skip', secret, home, '--exclude-dir=images'], {
      encoding: 'utf8',
    })
    assert.equal(found.stdout.trim().split('\n').sort(), [
      join(home, 'boxes', box.id, '1', 'initramfs'),
      join(home, 'secrets', box.id),
    ])
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name)))
      for (const file of ['cmdline', 'environ'])
        assert.not.ok(readIfThere(join('/proc', pid, file)).includes(secret), `${file} of ${pid}`)
    await box.remove({ force: true })
    assert.is(
      spawnSync('grep', ['-rqF', '--exclude-dir=images', secret, home]).status,
      1,
      'it left with its box',
    )
  }),
)

needsQemu(test, 'a box with a command ends with it, its exit code kept, its words on the console', () =>
  withRuntime(async runtime => {
    const box = await runtime.create({
      command: ['sh', '-c', 'echo "hi from $WHO"; exit 7'],
      env: { WHO: 'the guest' },
    })
    const console = (async () => text(box.console({ follow: true, incarnation: 1 })))()
    await box.start()
    const info = await box.wait()
    assert.equal([info.state, info.ending?.cause, info.ending?.exitCode], ['stopped', 'guest-poweroff', 7])
    assert.match(await console, /hi from the guest/)
  }),
)

needsQemu(test, 'ready by a pattern on the console; one that never comes leaves the box running', () =>
  withRuntime(async runtime => {
    const box = await runtime.create({ ready: { console: 'boxledger: read[y]' } })
    await box.start()
    assert.ok((await box.info()).guestReady)
    const abort = AbortSignal.timeout(100)
    const other = await runtime.create({ ready: { console: 'never said' } })
    const error = await other.start({ signal: abort }).then(
      () => undefined,
      error => error,
    )
    assert.ok(BoxError.is(error, 'ABORTED'), 'the wait ends, the start goes on')
    assert.is((await other.info()).state, 'starting')
  }),
)

test.run()
