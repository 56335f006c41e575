import { Cursor } from './cursor.ts'

/** An entry of a block, as stored: in a data block the key has its sequence number and kind behind it. */
export interface BlockEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * Entries of an unpacked block, in order; undefined if it makes no sense.
 *
 *   entry …    bytes of its key shared with the key before, bytes of its own, size of its value; own bytes, value
 *   restarts   offsets of entries that share nothing, from which a search begins
 *   their number
 */
export function entriesOf(content: Uint8Array | undefined): BlockEntry[] | undefined {
  if (content === undefined || content.length < 4) return undefined
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const restarts = view.getUint32(content.length - 4, true)
  const end = content.length - 4 - restarts * 4
  if (end < 0) return undefined
  const entries: BlockEntry[] = []
  const wholeKeys = new Set<number>()
  const cursor = new Cursor(content, 0, end)
  let key: Uint8Array = new Uint8Array()
  while (!cursor.isDone) {
    const { at } = cursor
    const shared = cursor.varint()
    const own = cursor.varint()
    const size = cursor.varint()
    const rest = cursor.take(own)
    const value = cursor.take(size)
    if (!cursor.ok || shared > key.length) return undefined
    if (shared === 0) wholeKeys.add(at)
    key = shared === 0 ? rest : Buffer.concat([key.subarray(0, shared), rest])
    entries.push({ key, value })
  }
  if (!cursor.ok) return undefined
  for (let n = 0; n < restarts; n += 1) {
    const restart = view.getUint32(end + n * 4, true)
    const before = n === 0 ? -1 : view.getUint32(end + n * 4 - 4, true)
    const isRight = n === 0 ? restart === 0 : restart > before && wholeKeys.has(restart)
    if (!isRight) return undefined
  }
  return entries
}
