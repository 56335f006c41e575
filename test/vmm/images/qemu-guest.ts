import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Image } from '../../../src/vmm/images/image-cache.ts'

/** A guest under plain QEMU, without boxledger's own emulator: what it prints is what the image does. */
export interface QemuGuest {
  readonly dir: string
  /** Waits until the serial console's text matches; gives the match and the ms since QEMU was started. */
  line(pattern: RegExp, timeoutMs?: number): Promise<{ match: RegExpExecArray; ms: number }>
  serial(): Promise<string>
  /** Everything that came out of the virtio console port */
  port(): Promise<Buffer>
  /** Presses the power button */
  press(): void
  /** Waits for QEMU's end; gives the ms since it was started */
  ended(timeoutMs?: number): Promise<number>
  close(): Promise<void>
}

export interface QemuGuestOptions {
  readonly image: Pick<Image, 'kernel' | 'initramfs'>
  readonly cmdline: string
  /** Default true */
  readonly port?: boolean
}

/** Where tests keep built images, so that they are made once per machine. */
export function testImages(): string {
  return process.env.BOXLEDGER_TEST_IMAGES ?? join(tmpdir(), `boxledger-test-images-${userInfo().uid}`)
}

const bootLimitMs = 120_000

export async function bootQemu({ image, cmdline, port = true }: QemuGuestOptions): Promise<QemuGuest> {
  const dir = await mkdtemp(join(tmpdir(), 'boxledger-guest-'))
  const serialFile = join(dir, 'serial')
  const portFile = join(dir, 'port')
  const console = ['-chardev', `file,id=port,path=${portFile}`, '-device', 'virtconsole,chardev=port']
  const started = performance.now()
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'q35', '-accel', 'tcg', '-cpu', 'qemu64,+arat,+rdrand', '-m', '256', '-smp', '1'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-qmp', 'stdio'],
      ...['-kernel', image.kernel, '-initrd', image.initramfs, '-append', cmdline],
      ...['-chardev', `file,id=serial,path=${serialFile}`, '-serial', 'chardev:serial'],
      ...['-device', 'virtio-rng-pci', '-device', 'pvpanic-pci'],
      ...(port ? ['-device', 'virtio-serial-pci', ...console] : []),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const end = endOf(child)
  end.catch(() => {})
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  child.stdin.on('error', () => {})
  createInterface(child.stdout).on('line', () => {})
  child.stdin.write('{"execute":"qmp_capabilities"}\n')

  const serial = () => readFile(serialFile, 'utf8').catch(() => '')
  const since = () => Math.round(performance.now() - started)
  return {
    dir,
    serial,
    port: () => readFile(portFile),
    press: () => child.stdin.write('{"execute":"system_powerdown"}\n'),
    async line(pattern, timeoutMs = bootLimitMs) {
      for (const limit = since() + timeoutMs; ; await delay(5)) {
        const over = child.exitCode !== null || since() > limit
        const match = pattern.exec(await serial())
        if (match !== null) return { match, ms: since() }
        if (over) throw new Error(`no ${pattern} after ${since()} ms:\n${(await serial()).slice(-2000)}`)
      }
    },
    async ended(timeoutMs = bootLimitMs) {
      const timer = new AbortController()
      const limit = delay(timeoutMs, undefined, { signal: timer.signal }).then(async () => {
        throw new Error(`no end after ${timeoutMs} ms:\n${(await serial()).slice(-2000)}`)
      })
      limit.catch(() => {})
      try {
        await Promise.race([end, limit])
        return since()
      } finally {
        timer.abort()
      }
    },
    async close() {
      child.kill('SIGKILL')
      await end.catch(() => {})
      process.removeListener('exit', killAtExit)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
}
