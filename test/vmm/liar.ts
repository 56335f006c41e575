import { readFileSync } from 'node:fs'

/**
 * A VMM that lies: the emulator without a guest, with the faults that the file `lies/BOX` in its home holds, as JSON. Bytes of
 * any kind can be among them, which no command line carries.
 */
const socket = process.argv.find(word => /^path=.*\/api\.sock$/.test(word)) ?? ''
const [, home, box] = /^path=(.*)\/boxes\/([^/]+)\//.exec(socket) ?? []
if (home !== undefined) {
  const faults = JSON.parse(readFileSync(`${home}/lies/${box}`, 'utf8')) as string[]
  process.argv.push(...faults.flatMap(fault => ['--fault', fault]))
}
process.argv.push('--backend', 'none')
await import('../../src/vmm/emulator/main.ts')
