import { Cursor } from '../leveldb/cursor.ts'
import {
  type BlockEntry,
  footerSize,
  isSound,
  isWithin,
  keyTrailer,
  magic,
  type Place,
  placeIn,
  trailerSize,
  unpacked,
} from '../leveldb/table-format.ts'
import { entriesOf } from './table-block.ts'

export interface TableFile {
  /** data blocks in order; empty where the index cannot be read */
  readonly blocks: readonly DataBlock[]
  /** what is wrong with the parts that lead to the data; undefined: nothing */
  readonly damage: { readonly offset: number; readonly message: string } | undefined
}

export interface DataBlock {
  readonly offset: number
  /** every key is behind this one; absent: the first block */
  readonly after: Buffer | undefined
  /** no key is behind this one */
  readonly upTo: Buffer
  /** its checksum is right */
  readonly isGood: boolean
  /** what can be read of it, good or not; undefined: it cannot be unpacked */
  entries(): BlockEntry[] | undefined
}

/** Holds a table against its checksums. */
export function readTableFile(bytes: Buffer): TableFile {
  const footerAt = bytes.length - footerSize
  const damaged = (offset: number, message: string): TableFile => ({
    blocks: [],
    damage: { offset, message },
  })
  if (footerAt < 0 || !bytes.subarray(bytes.length - magic.length).equals(magic))
    return damaged(Math.max(0, footerAt), 'The table has no footer')
  const cursor = new Cursor(bytes, footerAt, bytes.length - magic.length)
  const metaindex = placeIn(cursor)
  const index = placeIn(cursor)
  const [meta, lead] = [metaindex, index].map(place => entriesAt(bytes, place))
  if (lead === undefined) return damaged(index?.offset ?? footerAt, 'The index of the table is damaged')
  const blocks = lead.map(({ value }, n): Place & DataBlock => {
    const place = placeIn(new Cursor(value)) ?? { offset: -1, size: -1 }
    return {
      ...place,
      after: userKey(lead[n - 1]),
      upTo: userKey(lead[n]) ?? Buffer.alloc(0),
      isGood: isSound(bytes, place),
      entries: () => readAt(bytes, place),
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
  const bad = meta === undefined ? metaindex : filter && !isSound(bytes, filter) ? filter : undefined
  return { blocks, damage: bad && { offset: bad.offset, message: 'The filter of the table is damaged' } }
}

/** Entries of a block that has to be good. */
function entriesAt(bytes: Buffer, place: Place | undefined): BlockEntry[] | undefined {
  return place && isSound(bytes, place) ? readAt(bytes, place) : undefined
}

function readAt(bytes: Buffer, place: Place): BlockEntry[] | undefined {
  if (!isWithin(bytes, place)) return undefined
  const end = place.offset + place.size
  const content = unpacked(bytes.subarray(place.offset, end), bytes[end])
  return content.isWhole ? entriesOf(content.bytes) : undefined
}

function userKey(entry: BlockEntry | undefined): Buffer | undefined {
  return entry?.key.subarray(0, -keyTrailer)
}
