import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Guest } from '../image.ts'
import { run } from './run.ts'
import { tinyGuest } from './tiny-guest.ts'

const tinyLimitMs = 5_000
const linuxLimitMs = 10_000

/** Boots the 6 KB guest, which says a word and powers off. */
export async function runsTiny(program: string, signal: AbortSignal): Promise<boolean> {
  return await inTemporaryDir(async dir => {
    const kernel = join(dir, 'guest.elf')
    await writeFile(kernel, tinyGuest())
    const serial = join(dir, 'serial')
    const command = commandOf(program, dir, 64, ['--kernel', kernel, '--cmdline', 'mode=off'])
    const { exitCode } = await run(command, { limitMs: tinyLimitMs, signal })
    return exitCode === 0 && (await readFile(serial, 'latin1')).includes('guest: poweroff')
  })
}

/** Boots the very guest that is to run, until its init says that it is ready. A guest that resets has failed. */
export async function runsLinux(program: string, guest: Guest, signal: AbortSignal): Promise<boolean> {
  return await inTemporaryDir(async dir => {
    const initramfs = guest.initramfs === undefined ? [] : ['--initramfs', guest.initramfs]
    const payload = ['--kernel', guest.kernel, ...initramfs, '--cmdline', guest.probeCmdline ?? guest.cmdline]
    const says = (name: string, word: string) => readIfThere(join(dir, name)).includes(word)
    const isReady = () => says('serial', 'boxledger: ready')
    const isEnough = () => isReady() || says('events', '"rebooting"')
    await run(commandOf(program, dir, 256, payload), { limitMs: linuxLimitMs, signal, isEnough })
    return isReady()
  })
}

function commandOf(program: string, dir: string, mib: number, payload: readonly string[]): string[] {
  return [
    ...[program, ...payload],
    ...['--cpus', 'boot=1', '--memory', `size=${mib}M`],
    ...['--serial', `file=${join(dir, 'serial')}`, '--console', 'off'],
    ...['--event-monitor', `path=${join(dir, 'events')}`],
  ]
}

/** The temporary directory is gone afterwards, as is all that ran in it. */
async function inTemporaryDir(test: (dir: string) => Promise<boolean>): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'boxledger-probe-'))
  try {
    return await test(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false // it wrote no output
    throw error
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
