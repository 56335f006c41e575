// Boots the built-in guest on plain QEMU, one at a time, and looks at what comes out of it.
// @heavy
// @timeout 600
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { ensureBuiltinImage } from '../../../src/vmm/images/builtin.ts'
import { builtinCmdline } from '../../../src/vmm/images/cmdline.ts'
import { exitLine, readyLine } from '../../../src/vmm/images/init.ts'
import { boxInitramfs, type GuestCommand } from '../../../src/vmm/images/overlay.ts'
import { needsQemu } from '../../support/requires.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { nastyValues } from './nasty-values.ts'
import { bootQemu, type QemuGuest, testImages } from './qemu-guest.ts'

const boot = suite('built-in guest')
const ready = new RegExp(`^${readyLine}\\r?$`, 'm')

interface Booting extends GuestCommand {
  readonly port?: boolean
}

async function withGuest(options: Booting, fn: (guest: QemuGuest) => Promise<void>): Promise<void> {
  const dir = testImages()
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const image = await ensureBuiltinImage({ dir })
  await withTempDir(async tmp => {
    const initramfs = join(tmp, 'initramfs')
    await boxInitramfs({ ...options, base: image.initramfs, target: initramfs })
    const cmdline = builtinCmdline({ name: 'test-box' })
    const guest = await bootQemu({ image: { ...image, initramfs }, cmdline, port: options.port ?? true })
    try {
      await fn(guest)
    } finally {
      await guest.close()
    }
  })
}

/** Runs a command to the guest's end. */
async function run(options: Booting): Promise<{ code: number; port: Buffer; serial: string }> {
  const result: { code: number; port: Buffer; serial: string }[] = []
  await withGuest(options, async guest => {
    await guest.line(ready)
    await guest.ended()
    const serial = await guest.serial()
    assert.is(serial.match(new RegExp(exitLine, 'gm'))?.length, 1, serial)
    assert.is(serial.match(new RegExp(ready, 'gm'))?.length, 1, serial)
    const port = options.port === false ? Buffer.alloc(0) : await guest.port()
    result.push({ code: Number(exitLine.exec(serial)?.[1]), port, serial })
  })
  const [only] = result
  if (only === undefined) throw new Error('no result')
  return only
}

const sh = (script: string, ...more: string[]): string[] => ['sh', '-c', script, 'sh', ...more]

/** Presses the button when the pattern shows, and prints how long the guest took to power off. */
async function pressAfter(guest: QemuGuest, pattern: RegExp, what: string): Promise<void> {
  const up = await guest.line(ready)
  const { ms } = await guest.line(pattern)
  guest.press()
  // Under 2 s is the aim; the limit only tells a guest that does not listen from a busy machine.
  const end = await guest.ended(30_000)
  process.stdout.write(`\n${what}: ready after ${up.ms} ms, power button to power off ${end - ms} ms\n`)
}

needsQemu(boot, 'without a command: ready, and off at the power button', () =>
  withGuest({}, guest => pressAfter(guest, ready, 'no command')),
)

needsQemu(
  boot,
  'a command gets its arguments and environment byte for byte, and its output comes out so',
  async () => {
    const env = Object.fromEntries(nastyValues.map((value, i) => [`N${i}.x-y`, value]))
    const script = 'for word; do printf "%s\\0" "$word"; done; cat /proc/self/environ'
    const { code, port } = await run({ command: sh(script, ...nastyValues), env: { ...env, PATH: '/bin' } })
    const words = port.toString('utf8').split('\0')
    assert.equal(words.slice(0, nastyValues.length), nastyValues)
    // The shell in between drops names it cannot use itself; what started it is looked at in the next test.
    assert.ok(words.includes('PATH=/bin'))
    assert.ok(words.includes('HOME=/root'))
    assert.ok(words.includes('HOSTNAME=test-box'))
    assert.is(code, 0)
  },
)

needsQemu(
  boot,
  'variables of any name, a working directory made for it, and a user without an entry',
  async () => {
    const env = Object.fromEntries(nastyValues.map((value, i) => [`N${i}.x-y`, value]))
    const workdir = `/srv/${"it's $HOME"}/new`
    const { code, port } = await run({
      command: ['cat', '/proc/self/environ'],
      env,
      workdir,
      user: '1234:tty',
    })
    const words = port.toString('utf8').split('\0')
    for (const [name, value] of Object.entries(env)) assert.ok(words.includes(`${name}=${value}`), name)
    assert.ok(words.includes('HOME=/'))
    assert.is(code, 0)

    const second = await run({
      command: sh('pwd; id -u; id -g; cat /box/env; exit 42'),
      workdir,
      user: '1234:tty',
    })
    assert.match(second.port.toString(), `${workdir}\n1234\n5\n`)
    assert.match(second.port.toString(), 'Permission denied')
    assert.is(second.code, 42)
  },
)

needsQemu(boot, 'a named user; a user nobody knows', async () => {
  const known = await run({ command: ['id'], user: 'nobody' })
  assert.match(known.port.toString(), 'uid=65534(nobody) gid=65534(nogroup)')
  const unknown = await run({ command: ['id'], user: 'stranger' })
  assert.is(unknown.port.toString(), 'boxledger: unknown user stranger\n')
  assert.is(unknown.code, 126)
})

needsQemu(boot, 'a command that is missing ends with 127, one that cannot be run with 126', async () => {
  const missing = await run({ command: ['no-such=program', '-x'] })
  assert.is(missing.code, 127)
  assert.match(missing.port.toString(), 'no-such=program')
  assert.is((await run({ command: ['/etc/passwd'] })).code, 126)
})

needsQemu(
  boot,
  'a signal counts as 128 and its number, SIGINT is not ignored, orphans are reaped',
  async () => {
    const zombies = 'cat /proc/[0-9]*/status 2>/dev/null | grep -q "^State:.Z"'
    const reaped = `until ! ${zombies}; do :; done; echo reaped`
    const { code, port } = await run({ command: sh(`(true &) ; ${reaped}; kill -INT $$`) })
    assert.is(port.toString(), 'reaped\n')
    assert.is(code, 130)
  },
)

needsQemu(boot, 'much output is whole, and who stays behind in the background delays nothing', async () => {
  const bytes = 3 * 1024 * 1024 + 7
  const script = `sleep 1000 & yes "0123456789abcde" | head -c ${bytes}; printf end`
  const { code, port, serial } = await run({ command: sh(script) })
  const expected = Buffer.alloc(bytes + 3, '0123456789abcde\n')
  expected.write('end', bytes)
  const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex')
  assert.is(port.length, expected.length)
  assert.is(hash(port), hash(expected))
  assert.match(serial, 'boxledger: further output is on the port only')
  assert.ok(serial.length < 400_000)
  assert.is(code, 0)
})

needsQemu(boot, 'without a port the output is on the console', async () => {
  const { code, serial } = await run({ command: sh('echo here; cat; exit 3'), port: false })
  assert.match(serial, 'here\r\n')
  assert.is(code, 3)
})

needsQemu(boot, 'the power button ends a command politely', () =>
  withGuest(
    { command: sh('trap "echo bye; exit 9" TERM; echo up; while :; do sleep 100 & wait; done') },
    async guest => {
      await pressAfter(guest, /^up\r?$/m, 'a command that obeys')
      assert.is((await guest.port()).toString(), 'up\nbye\n')
      assert.is(exitLine.exec(await guest.serial())?.[1], '9')
    },
  ),
)

needsQemu(boot, 'the power button ends a command that does not listen', () =>
  withGuest({ command: sh('trap "" TERM; echo up; while :; do sleep 100; done') }, async guest => {
    await pressAfter(guest, /^up\r?$/m, 'a command that ignores SIGTERM')
    assert.is(exitLine.exec(await guest.serial())?.[1], '137')
  }),
)

boot.run()
