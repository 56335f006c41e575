import { Cursor } from '../leveldb/cursor.ts'
import { type BlockEntry, entryIn, keyTrailer } from '../leveldb/table-format.ts'

/** Entries of a table's block: a damaged one spoils those up to the next restart point, and no more. */
export function* entriesOfBlock(block: Buffer): Generator<BlockEntry> {
  const { starts, end } = restartsOf(block)
  for (const [n, start] of starts.entries()) {
    const cursor = new Cursor(block, start, starts[n + 1] ?? end)
    let key: Buffer = Buffer.alloc(0)
    while (!cursor.isDone) {
      const entry = entryIn(cursor, key)
      if (entry === undefined) break
      yield entry
      key = entry.key
    }
  }
}

/** Where entries begin with whole keys, and where they end; of a block that is cut off: its beginning. */
function restartsOf(block: Buffer): { readonly starts: readonly number[]; readonly end: number } {
  const count = block.length < 4 ? 0 : block.readUInt32LE(block.length - 4)
  const end = block.length - 4 * (count + 1)
  if (count === 0 || end < 0) return { starts: [0], end: block.length }
  const starts = Array.from({ length: count }, (_, n) => block.readUInt32LE(end + 4 * n))
  const isSane = starts[0] === 0 && starts.every((start, n) => start <= (starts[n + 1] ?? end))
  return isSane ? { starts, end } : { starts: [0], end: block.length }
}

/** A table's key without its trailer, and what that says. */
export function partsOfKey(
  key: Buffer,
): { readonly key: string; readonly sequence: number; readonly isDeletion: boolean } | undefined {
  if (key.length < keyTrailer) return undefined
  const at = key.length - keyTrailer
  const trailer = key.readBigUInt64LE(at)
  return {
    key: key.toString('utf8', 0, at),
    sequence: Number(trailer >> 8n),
    isDeletion: (trailer & 0xffn) === 0n,
  }
}
