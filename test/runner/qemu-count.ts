import { readFile } from 'node:fs/promises'
import path from 'node:path'

export interface QemuCount {
  readonly line: string
  readonly problem?: string
}

/** Reads the committed number of tests that run on QEMU, `test/qemu-tests.json`. */
export const readQemuWanted = async (root: string): Promise<number> => {
  const wanted: unknown = JSON.parse(await readFile(path.join(root, 'test/qemu-tests.json'), 'utf8'))
  if (
    typeof wanted === 'object' &&
    wanted !== null &&
    'atLeast' in wanted &&
    typeof wanted.atLeast === 'number'
  ) {
    return wanted.atLeast
  }
  throw new Error('test/qemu-tests.json must hold {"atLeast": number}.')
}

/** Compares how many tests ran on QEMU with the committed number, which is binding when QEMU is required. */
export const checkQemuCount = (count: { ran: number; wanted: number; required: boolean }): QemuCount => {
  const line = `qemu tests: ${count.ran} ran, at least ${count.wanted} wanted`
  if (!count.required) return { line: `${line} (not required)` }
  if (count.ran >= count.wanted) return { line }
  return {
    line,
    problem: `fewer tests ran on QEMU than test/qemu-tests.json wants: ${count.ran} of ${count.wanted}`,
  }
}
