import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The emulator without a guest, as `vmm.binary`: a process like any other, and instant. */
export const instantVmm = [
  process.execPath,
  fileURLToPath(new URL('../../src/vmm/emulator/main.js', import.meta.url)),
  '--backend',
  'none',
] as const

const kernel = path.resolve(
  fileURLToPath(new URL('../../../test/fixtures/test-guest/guest.elf', import.meta.url)),
)

/** The small guest, as an image; `mode` says what it does. */
export const smallGuest = (mode: string) => ({ kernel, cmdline: `mode=${mode}` })

/** The emulator with real guests on QEMU. */
export const qemuVmm = [...instantVmm.slice(0, -1), 'qemu'] as const
