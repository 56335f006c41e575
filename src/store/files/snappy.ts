import { Cursor } from './cursor.ts'

/** Unpacks a block; undefined if it is not what Snappy makes. */
export function unsnappy(packed: Uint8Array): Uint8Array | undefined {
  const cursor = new Cursor(packed)
  const length = cursor.varint()
  // Nothing shrinks further: a longer one is damage, and no reason to take so much memory.
  if (!cursor.ok || length > packed.length * 64 + 64) return undefined
  const out = Buffer.allocUnsafe(length)
  let size = 0
  const little = (count: number) => {
    let value = 0
    for (let n = 0; n < count; n += 1) value += cursor.byte() * 2 ** (8 * n)
    return value
  }
  while (!cursor.isDone) {
    const op = cursor.byte()
    if ((op & 3) === 0) {
      const extra = (op >> 2) - 59
      const count = 1 + (extra > 0 ? little(extra) : op >> 2)
      const literal = cursor.take(count)
      if (!cursor.ok || size + count > length) return undefined
      out.set(literal, size)
      size += count
      continue
    }
    const count = (op & 3) === 1 ? 4 + ((op >> 2) & 7) : 1 + (op >> 2)
    const distance = (op & 3) === 1 ? ((op >> 5) << 8) | cursor.byte() : little((op & 3) === 2 ? 2 : 4)
    if (!cursor.ok || distance === 0 || distance > size || size + count > length) return undefined
    // Byte by byte: it may copy what it has just written.
    for (const end = size + count; size < end; size += 1) out[size] = out[size - distance] as number
  }
  return cursor.ok && size === length ? out : undefined
}
