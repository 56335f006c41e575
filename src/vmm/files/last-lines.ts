import { printable } from '../../machines/index.ts'
import { openOwnFile } from './own-file.ts'

/** The last lines of a file, read from its end; empty if it is not there or empty. */
export async function lastLines(path: string, lines: number, bytes = 8 * 1024): Promise<string[]> {
  const tail = await lastBytes(path, bytes)
  return tail
    .toString('utf8')
    .split(/\r?\n/)
    .map(line => printable(line).trimEnd())
    .filter(line => line !== '')
    .slice(-lines)
}

/** The end of a file; empty if it is not there. */
export async function lastBytes(path: string, bytes: number): Promise<Buffer> {
  const file = await openOwnFile(path)
  if (file === undefined) return Buffer.alloc(0)
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.min(bytes, size))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
