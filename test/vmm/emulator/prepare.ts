import { closeSync, copyFileSync, mkdirSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SMALL_GUEST } from './recording.ts'

const MIB = 1024 * 1024

/** The files the recordings were made with. */
export function prepareFiles(directory: string): void {
  copyFileSync(SMALL_GUEST, join(directory, 'guest.elf'))
  for (const [name, size] of [
    ['disk.raw', MIB],
    ['disk2.raw', MIB],
    ['pmem.raw', 2 * MIB],
  ] as const) {
    const file = join(directory, name)
    closeSync(openSync(file, 'w'))
    truncateSync(file, size)
  }
  writeFileSync(join(directory, 'notelf'), 'x'.repeat(5000))
  mkdirSync(join(directory, 'snap'))
}
