import { lastCut } from './growing.ts'
import { openOwnFile } from './own-file.ts'

const pieceBytes = 64 * 1024
const lineFeed = 0x0a

/**
 * Where the last lines of a file begin, in `bytes`, an unfinished last one counted as one; at its start, or where it
 * goes on after its last cut, if it has no more.
 */
export async function tailStart(path: string, lines: number): Promise<number> {
  const file = await openOwnFile(path)
  if (file === undefined) return 0
  try {
    const { size } = await file.stat()
    if (lines === 0) return size
    const first = Math.min(size, lastCut(path)?.offset ?? 0)
    const buffer = Buffer.allocUnsafe(pieceBytes)
    let seen = 0
    for (let end = size; end > first; ) {
      const begin = Math.max(first, end - pieceBytes)
      const { bytesRead } = await file.read(buffer, 0, end - begin, begin)
      for (let at = bytesRead; at > 0; ) {
        at = buffer.lastIndexOf(lineFeed, at - 1)
        if (at === -1) break
        // The one at the very end ends the last line, and begins none.
        if (begin + at !== size - 1) seen += 1
        if (seen === lines) return begin + at + 1
      }
      end = begin
    }
    return first
  } finally {
    await file.close()
  }
}
