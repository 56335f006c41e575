import { crc32c, unmask } from './crc32c.ts'
import { Cursor } from './cursor.ts'
import { unsnappy } from './snappy.ts'
import { type BlockEntry, entriesOf } from './table-block.ts'

/**
 * Reads LevelDB's tables, which never change once they are written.
 *
 *   data block …    entries in order of their keys
 *   filter block    says which keys cannot be in the table
 *   metaindex       leads to the filter
 *   index           for each data block: a key not before its last one and before the next block's first; offset and size
 *   footer          places of metaindex and index, a magic number
 *
 * A block is followed by its compression (1 byte) and the checksum of both (4 bytes). Blocks stand one behind the other.
 */
export interface TableFile {
  /** data blocks in order; empty where the index cannot be read */
  readonly blocks: readonly DataBlock[]
  /** what is wrong with the parts that lead to the data; undefined: nothing */
  readonly damage: { readonly offset: number; readonly message: string } | undefined
}

export interface DataBlock {
  readonly offset: number
  /** every key is behind this one; absent: the first block */
  readonly after: Uint8Array | undefined
  /** no key is behind this one */
  readonly upTo: Uint8Array
  /** its checksum is right */
  readonly isGood: boolean
  /** what can be read of it, good or not; undefined: it cannot be unpacked */
  entries(): BlockEntry[] | undefined
}

interface Place {
  readonly offset: number
  readonly size: number
}

const footerSize = 48
const trailerSize = 5
const magic = Buffer.from('57fb808b247547db', 'hex')
/** sequence number and kind behind every key */
export const keyTrailer = 8

export function readTableFile(bytes: Uint8Array): TableFile {
  const footerAt = bytes.length - footerSize
  const damaged = (offset: number, message: string): TableFile => ({
    blocks: [],
    damage: { offset, message },
  })
  if (footerAt < 0 || Buffer.compare(bytes.subarray(bytes.length - 8), magic) !== 0)
    return damaged(Math.max(0, footerAt), 'The table has no footer')
  const cursor = new Cursor(bytes, footerAt, bytes.length - 8)
  const metaindex = placeIn(cursor)
  const index = placeIn(cursor)
  const [meta, lead] = [metaindex, index].map(place => entriesAt(bytes, place))
  if (lead === undefined) return damaged(index?.offset ?? footerAt, 'The index of the table is damaged')
  const blocks = lead.map(({ value }, n): Place & DataBlock => {
    const { offset = -1, size = -1 } = placeIn(new Cursor(value)) ?? {}
    return {
      offset,
      size,
      after: userKey(lead[n - 1]),
      upTo: userKey(lead[n]) ?? new Uint8Array(),
      isGood: isGood(bytes, { offset, size }),
      entries: () => entriesOf(contentOf(bytes, { offset, size })),
    }
  })
  const filter = meta?.[0] && placeIn(new Cursor(meta[0].value))
  const parts = [...blocks, ...(filter ? [filter] : []), metaindex, index]
  let next = 0
  for (const part of parts) {
    if (part?.offset !== next)
      return { blocks, damage: { offset: next, message: 'The parts of the table do not follow each other' } }
    next += part.size + trailerSize
  }
  if (next !== footerAt)
    return { blocks, damage: { offset: next, message: 'The footer of the table is damaged' } }
  const bad = meta === undefined ? metaindex : filter && !isGood(bytes, filter) ? filter : undefined
  return { blocks, damage: bad && { offset: bad.offset, message: 'The filter of the table is damaged' } }
}

function placeIn(cursor: Cursor): Place | undefined {
  const place = { offset: cursor.varint(), size: cursor.varint() }
  return cursor.ok ? place : undefined
}

/** Entries of a block that has to be good. */
function entriesAt(bytes: Uint8Array, place: Place | undefined): BlockEntry[] | undefined {
  return place && isGood(bytes, place) ? entriesOf(contentOf(bytes, place)) : undefined
}

function isGood(bytes: Uint8Array, { offset, size }: Place): boolean {
  const end = offset + size + 1
  if (offset < 0 || size < 0 || end + 4 > bytes.length) return false
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset + end, 4).readUInt32LE()
  return unmask(stored) === crc32c(bytes, offset, end)
}

function contentOf(bytes: Uint8Array, { offset, size }: Place): Uint8Array | undefined {
  if (offset < 0 || offset + size >= bytes.length) return undefined
  const content = bytes.subarray(offset, offset + size)
  const compression = bytes[offset + size]
  return compression === 0 ? content : compression === 1 ? unsnappy(content) : undefined
}

function userKey(entry: BlockEntry | undefined): Uint8Array | undefined {
  return entry?.key.subarray(0, -keyTrailer)
}
