import { open } from 'node:fs/promises'

/** The last lines of a file, read from its end; empty if it is not there or empty. */
export async function lastLines(path: string, lines: number, bytes = 8 * 1024): Promise<string[]> {
  const tail = await lastBytes(path, bytes)
  return tail
    .toString('utf8')
    .split(/\r?\n/)
    .map(printable)
    .filter(line => line !== '')
    .slice(-lines)
}

export async function lastBytes(path: string, bytes: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const buffer = Buffer.alloc(Math.min(bytes, size))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

/** A guest may print anything: what goes into messages must not steer a terminal. */
function printable(line: string): string {
  let text = ''
  for (const char of line) {
    const code = char.codePointAt(0) ?? 0
    if (code === 9 || (code >= 32 && (code < 127 || code > 159))) text += char
  }
  return text.trimEnd()
}
