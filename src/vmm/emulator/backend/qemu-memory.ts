import { escapeCommas } from './escape-commas.ts'

/** How QEMU calls the memory of a guest, also where it is told nothing: what was saved goes by this. */
export const MEMORY_ID = 'pc.ram'

/**
 * QEMU's words for a memory of `bytes` that begins as what is in a file: a page is read when it is needed, and what the
 * guest writes goes into no file. QEMU calls this VM templating.
 */
export function formatMappedMemory(file: string, bytes: number): string[] {
  const backend = `memory-backend-file,share=off,mem-path=${escapeCommas(file)}`
  return ['-object', `${backend},id=${MEMORY_ID},size=${bytes / 1024}k`]
}
