import { crc32c, unmask } from './crc32c.ts'
import type { Cursor } from './cursor.ts'
import { type Decompressed, decompress } from './snappy.ts'

/**
 * LevelDB's tables, which never change once they are written.
 *
 *   data block …    entries in order of their keys
 *   filter block    says which keys cannot be in the table
 *   metaindex       leads to the filter
 *   index           for each data block: a key not before its last one and before the next block's first; offset and size
 *   footer          places of metaindex and index, a magic number
 *
 * A block is followed by its compression (1 byte) and the checksum of both (4 bytes). Blocks stand one behind the other.
 * Each entry of a block shares the beginning of its key with the one before, anew from every restart point:
 *
 *   entry …         bytes of its key shared with the key before, bytes of its own, size of its value; own bytes, value
 *   restarts        offsets of entries that share nothing, 4 bytes each
 *   their number    4 bytes
 */
export const footerSize = 48
export const trailerSize = 5
export const magic = Buffer.from('57fb808b247547db', 'hex')
/** sequence number and kind behind every key of a data block, in 8 bytes */
export const keyTrailer = 8

/** A block without its trailer. */
export interface Place {
  readonly offset: number
  readonly size: number
}

export interface BlockEntry {
  /** as stored: in a data block with its trailer */
  readonly key: Buffer
  readonly value: Buffer
}

export function placeIn(cursor: Cursor): Place | undefined {
  const place = { offset: cursor.varint(), size: cursor.varint() }
  return cursor.ok ? place : undefined
}

/** Whether a block with its trailer fits into the file at all. */
export function isWithin(file: Buffer, { offset, size }: Place): boolean {
  return offset >= 0 && size >= 0 && offset + size + trailerSize <= file.length
}

/** Whether a block is as it was written, by its checksum. */
export function isSound(file: Buffer, place: Place): boolean {
  if (!isWithin(file, place)) return false
  const end = place.offset + place.size + 1
  return unmask(file.readUInt32LE(end)) === crc32c(file, place.offset, end)
}

/** The content of a block from its bytes and its compression. */
export function unpacked(bytes: Buffer, compression: number | undefined): Decompressed {
  if (compression === 0) return { bytes, isWhole: true }
  const { bytes: content, isWhole } = decompress(bytes)
  return { bytes: content, isWhole: isWhole && compression === 1 }
}

/** The entry at the cursor, after the one whose key is given; undefined if it makes no sense. */
export function entryIn(cursor: Cursor, before: Buffer): (BlockEntry & { shared: number }) | undefined {
  const shared = cursor.varint()
  const own = cursor.varint()
  const size = cursor.varint()
  const rest = cursor.take(own)
  const value = cursor.take(size)
  if (!cursor.ok || shared > before.length) return undefined
  const key = shared === 0 ? rest : Buffer.concat([before.subarray(0, shared), rest])
  return { key, value, shared }
}
