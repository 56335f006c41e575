import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { recipeName } from '../../../src/vmm/images/builtin.ts'

const kernel = fileURLToPath(new URL('../../../../test/fixtures/test-guest/guest.elf', import.meta.url))

/** Puts the small guest in the place of the built-in one, for a VMM that only looks at its files. */
export function fakeBuiltin(home: string): void {
  const dir = join(home, 'images', `${recipeName()}-1`)
  const bytes = readFileSync(kernel)
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'vmlinux'), bytes)
  writeFileSync(join(dir, 'initramfs.cpio'), Buffer.alloc(512))
  const manifest = { kernelVersion: '1', kernelBytes: bytes.length, initramfsBytes: 512 }
  writeFileSync(join(dir, 'image.json'), JSON.stringify(manifest))
}
