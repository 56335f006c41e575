import { keyPattern, type Salvaged } from './entry.ts'
import { readVarint } from './varint.ts'

/**
 * A batch as LevelDB logs it:
 *
 *   sequence of the first entry, 8 | number of entries, 4 | entries: 1, key, value (put) or 0, key (deletion),
 *   keys and values with their lengths before them
 */
const headerBytes = 12
const put = 1
const deletion = 0

interface Entry {
  readonly key: string
  readonly value: string | undefined
  readonly end: number
}

/** Entries of a batch whose checksum was right. */
export function* entriesOfBatch(batch: Buffer): Generator<Salvaged> {
  if (batch.length < headerBytes) return
  let sequence = Number(batch.readBigUInt64LE(0))
  for (let at = headerBytes; at < batch.length; ) {
    const entry = entryAt(batch, at)
    if (entry === undefined) return
    yield { key: entry.key, value: entry.value, sequence, sound: true }
    sequence += 1
    at = entry.end
  }
}

/** Whatever looks like an entry of ours, at any place in damaged bytes. */
export function* entriesByLooks(bytes: Buffer): Generator<Salvaged> {
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] !== put) continue
    const key = textAt(bytes, at + 1)
    if (key === undefined || !keyPattern.test(key.text)) continue
    const value = textAt(bytes, key.end)
    if (value !== undefined) yield { key: key.text, value: value.text, sequence: 0, sound: false }
  }
}

function entryAt(bytes: Buffer, at: number): Entry | undefined {
  const tag = bytes[at]
  const key = tag === put || tag === deletion ? textAt(bytes, at + 1) : undefined
  if (key === undefined) return undefined
  if (tag === deletion) return { key: key.text, value: undefined, end: key.end }
  const value = textAt(bytes, key.end)
  return value && { key: key.text, value: value.text, end: value.end }
}

function textAt(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  const length = readVarint(bytes, at)
  if (length === undefined || length.end + length.value > bytes.length) return undefined
  const end = length.end + length.value
  return { text: bytes.toString('utf8', length.end, end), end }
}
