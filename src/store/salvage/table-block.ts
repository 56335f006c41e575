import { readVarint } from './varint.ts'

/** What a table's key ends with: order and kind, in 8 bytes. */
const trailerBytes = 8

export interface BlockEntry {
  /** as stored: with its trailer */
  readonly key: Buffer
  readonly value: Buffer
}

/**
 * Entries of a table's block. Each shares the beginning of its key with the one before, anew from every restart point:
 *
 *   shared, not shared, length of the value | rest of the key | value … | restart points, 4 each | their number, 4
 *
 * A damaged entry spoils those up to the next restart point, and no more.
 */
export function* entriesOfBlock(block: Buffer): Generator<BlockEntry> {
  const { starts, end } = restartsOf(block)
  for (const [n, start] of starts.entries()) {
    const limit = starts[n + 1] ?? end
    let key: Buffer = Buffer.alloc(0)
    for (let at = start; at < limit; ) {
      const entry = entryAt(block, at, limit, key)
      if (entry === undefined) break
      yield entry
      key = entry.key
      at = entry.end
    }
  }
}

function entryAt(block: Buffer, at: number, limit: number, before: Buffer) {
  const shared = readVarint(block, at)
  const rest = shared && readVarint(block, shared.end)
  const length = rest && readVarint(block, rest.end)
  if (length === undefined || shared === undefined || rest === undefined) return undefined
  const keyEnd = length.end + rest.value
  const end = keyEnd + length.value
  if (end > limit || shared.value > before.length) return undefined
  const key = Buffer.concat([before.subarray(0, shared.value), block.subarray(length.end, keyEnd)])
  return { key, value: block.subarray(keyEnd, end), end }
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
  if (key.length < trailerBytes) return undefined
  const at = key.length - trailerBytes
  const trailer = key.readBigUInt64LE(at)
  return {
    key: key.toString('utf8', 0, at),
    sequence: Number(trailer >> 8n),
    isDeletion: (trailer & 0xffn) === 0n,
  }
}
