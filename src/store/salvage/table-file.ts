import { begin, maskedCrc, maskOf, update, withOneBitFlipped } from './crc32c.ts'
import { type Carved, carve, keyPattern, type Salvaged } from './entry.ts'
import { type Decompressed, decompress } from './snappy.ts'
import { entriesOfBlock, partsOfKey } from './table-block.ts'
import { readVarint } from './varint.ts'

/**
 * LevelDB's table: blocks of sorted entries, an index of them, and a footer of 48 bytes that leads to the index.
 * After each block stand a byte for its compression and a checksum of both. Where the index cannot be read, a block's
 * end is found by trying where the checksum would be right.
 */
const footerBytes = 48
const trailerBytes = 5
/** Larger blocks are not looked for when the index is lost, in `bytes`. */
const maxBlock = 8 << 20

interface Block {
  /** decompressed; as far as that is possible */
  readonly bytes: Buffer
  readonly sound: boolean
  readonly start: number
  /** where the next one begins */
  readonly end: number
}

/** Everything that a table file still says. `onDamage` is told of each damage. */
export function* readTable(file: Buffer, onDamage: (message: string) => void): Generator<Salvaged | Carved> {
  for (const block of blocksOf(file, onDamage)) {
    if (!block.sound) onDamage(`the block at byte ${block.start} is damaged`)
    for (const { key, value } of entriesOfBlock(block.bytes)) {
      const parts = partsOfKey(key)
      if (parts === undefined || !keyPattern.test(parts.key)) continue
      yield {
        key: parts.key,
        value: parts.isDeletion ? undefined : value.toString('utf8'),
        sequence: block.sound ? parts.sequence : 0,
        sound: block.sound,
      }
    }
    if (!block.sound) yield* carve(block.bytes)
  }
}

function* blocksOf(file: Buffer, onDamage: (message: string) => void): Generator<Block> {
  const index = indexOf(file)
  let covered = 0
  if (index !== undefined) {
    for (const { key: _, value } of entriesOfBlock(index.bytes)) {
      const block = handleAt(file, value, 0)
      // A handle of a damaged index may lead anywhere, and is believed where a block is.
      if (block === undefined || !(index.sound || block.sound) || block.start < covered) continue
      if (block.start > covered) yield* searched(file, covered, block.start)
      yield block
      covered = block.end
    }
    if (index.sound) return
  }
  onDamage('its index is damaged')
  yield* searched(file, covered, file.length)
}

function indexOf(file: Buffer): Block | undefined {
  const footer = file.length - footerBytes
  const metaOffset = footer < 0 ? undefined : readVarint(file, footer)
  const metaSize = metaOffset && readVarint(file, metaOffset.end)
  return metaSize && handleAt(file, file, metaSize.end)
}

/** The block that a handle leads to: offset and size. */
function handleAt(file: Buffer, bytes: Buffer, at: number): Block | undefined {
  const offset = readVarint(bytes, at)
  const size = offset && readVarint(bytes, offset.end)
  return size && offset && blockAt(file, offset.value, size.value)
}

function blockAt(file: Buffer, start: number, size: number): Block | undefined {
  const end = start + size + trailerBytes
  if (end > file.length) return undefined
  const written = file.subarray(start, end - 4)
  const checksum = file.readUInt32LE(end - 4)
  const isRight = maskedCrc(written) === checksum
  const read = isRight ? written : (withOneBitFlipped(written, checksum) ?? written)
  const { bytes, isWhole } = decompressed(read.subarray(0, size), read[size])
  return { bytes, sound: isRight && isWhole, start, end }
}

function decompressed(bytes: Buffer, compression: number | undefined): Decompressed {
  return compression === 0 ? { bytes, isWhole: true } : decompress(bytes)
}

/** Blocks between two places, without an index. */
function* searched(file: Buffer, from: number, to: number): Generator<Block> {
  for (let start = from; start < to; ) {
    const block = nextBlock(file, start, to)
    if (block !== undefined) {
      yield block
      start = block.end
      continue
    }
    // One whose end is not to be found: it is taken for as long as the rest, in either compression.
    const rest = file.subarray(start, to)
    for (const bytes of [rest, decompress(rest).bytes]) yield { bytes, sound: false, start, end: to }
    return
  }
}

function nextBlock(file: Buffer, start: number, to: number): Block | undefined {
  let state = begin
  const limit = Math.min(to, start + maxBlock)
  for (let at = start; at + trailerBytes <= limit; at += 1) {
    const compression = file[at] ?? 0
    const withType = update(state, file.subarray(at, at + 1))
    if (compression <= 1 && at > start && maskOf(withType) === file.readUInt32LE(at + 1))
      return blockAt(file, start, at - start)
    state = withType
  }
  return undefined
}
