import { begin, finish, mask, step } from '../leveldb/crc32c.ts'
import { Cursor } from '../leveldb/cursor.ts'
import { decompress } from '../leveldb/snappy.ts'
import {
  footerSize,
  isSound,
  isWithin,
  type Place,
  placeIn,
  trailerSize,
  unpacked,
} from '../leveldb/table-format.ts'
import { type Carved, carve, keyPattern, type Salvaged } from './entry.ts'
import { withOneBitFlipped } from './flipped-bit.ts'
import { entriesOfBlock, partsOfKey } from './table-block.ts'

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

/**
 * Everything that a table file still says. `onDamage` is told of each damage. Where the index cannot be read, a block's
 * end is found by trying where the checksum would be right.
 */
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
    for (const { value } of entriesOfBlock(index.bytes)) {
      const block = blockAt(file, placeIn(new Cursor(value)))
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
  if (file.length < footerSize) return undefined
  const footer = new Cursor(file, file.length - footerSize)
  placeIn(footer)
  return blockAt(file, placeIn(footer))
}

function blockAt(file: Buffer, place: Place | undefined): Block | undefined {
  if (place === undefined || !isWithin(file, place)) return undefined
  const { offset: start, size } = place
  const end = start + size + trailerSize
  const isRight = isSound(file, place)
  const written = file.subarray(start, end - 4)
  const read = isRight ? written : (withOneBitFlipped(written, file.readUInt32LE(end - 4)) ?? written)
  const { bytes, isWhole } = unpacked(read.subarray(0, size), read[size])
  return { bytes, sound: isRight && isWhole, start, end }
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
  for (let at = start; at + trailerSize <= limit; at += 1) {
    const compression = file[at] ?? 0
    state = step(state, compression)
    if (compression <= 1 && at > start && mask(finish(state)) === file.readUInt32LE(at + 1))
      return blockAt(file, { offset: start, size: at - start })
  }
  return undefined
}
