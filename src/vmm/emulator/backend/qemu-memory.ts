import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { escapeCommas } from './escape-commas.ts'

/** Where the memory of a guest is: QEMU's own, or a saved one's file, of which it changes nothing. */
export type GuestMemory = 'own' | { readonly file: string }

/** As QEMU calls it itself where it is told nothing: what was saved, also by earlier emulators, goes by this. */
export const MEMORY_ID = 'pc.ram'

/** How Linux names the file that is behind a memory of QEMU's own. */
const OWN_NAME = '/memfd:memory-backend-memfd'

/**
 * QEMU's words for a memory of `bytes`. One of its own can be seen from outside, so that it need not be sent when the guest
 * is saved; what comes from a file is read when it is needed, and what the guest writes goes into no file. QEMU calls this
 * VM templating.
 */
export function formatMemory(memory: GuestMemory, bytes: number): string[] {
  const backend =
    memory === 'own'
      ? 'memory-backend-memfd,share=on'
      : `memory-backend-file,share=off,mem-path=${escapeCommas(memory.file)}`
  return ['-object', `${backend},id=${MEMORY_ID},size=${bytes / 1024}k`]
}

/** Copies the memory of its own that a QEMU has; what is empty stays a hole. */
export async function copyOwnMemory(pid: number, to: string): Promise<void> {
  const descriptors = `/proc/${pid}/fd`
  const own = readdirSync(descriptors).find(fd => readlinkSync(`${descriptors}/${fd}`).startsWith(OWN_NAME))
  if (own === undefined) throw new Error('QEMU has no memory that can be seen')
  const copy = spawn('cp', ['--sparse=always', '--', `${descriptors}/${own}`, to], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let words = ''
  copy.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  const [code] = (await once(copy, 'close')) as [number | null]
  if (code !== 0) throw new Error(words.trim() || `cp ended with ${code}`)
}
