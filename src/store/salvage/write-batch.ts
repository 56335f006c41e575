import { Cursor } from '../leveldb/cursor.ts'
import { keyPattern, type Salvaged } from './entry.ts'

/**
 * A batch as LevelDB logs it:
 *
 *   sequence of the first entry, 8 | number of entries, 4 | entries: 1, key, value (put) or 0, key (deletion),
 *   keys and values with their lengths before them
 */
const headerBytes = 12
const put = 1
const deletion = 0

/** Entries of a batch whose checksum was right. */
export function* entriesOfBatch(batch: Buffer): Generator<Salvaged> {
  if (batch.length < headerBytes) return
  let sequence = Number(batch.readBigUInt64LE(0))
  const cursor = new Cursor(batch, headerBytes)
  while (!cursor.isDone) {
    const tag = cursor.byte()
    if (tag !== put && tag !== deletion) return
    const key = text(cursor)
    const value = tag === put ? text(cursor) : undefined
    if (!cursor.ok) return
    yield { key, value, sequence, sound: true }
    sequence += 1
  }
}

/** Whatever looks like an entry of ours, at any place in damaged bytes. */
export function* entriesByLooks(bytes: Buffer): Generator<Salvaged> {
  for (let at = bytes.indexOf(put); at >= 0; at = bytes.indexOf(put, at + 1)) {
    const cursor = new Cursor(bytes, at + 1)
    const key = text(cursor)
    if (!cursor.ok || !keyPattern.test(key)) continue
    const value = text(cursor)
    if (cursor.ok) yield { key, value, sequence: 0, sound: false }
  }
}

function text(cursor: Cursor): string {
  return cursor.string().toString('utf8')
}
