import { Cursor } from './cursor.ts'

export interface Decompressed {
  readonly bytes: Buffer
  /** false: it breaks off where the input makes no sense any more */
  readonly isWhole: boolean
}

/** Snappy's raw format, as far as it can be followed. */
export function decompress(input: Buffer): Decompressed {
  const cursor = new Cursor(input)
  const size = cursor.varint()
  // Nothing shrinks further: a longer one is damage, and no reason to take so much memory.
  if (!cursor.ok || size > input.length * 64 + 64) return { bytes: Buffer.alloc(0), isWhole: false }
  const output = Buffer.alloc(size)
  let length = 0
  const broken = () => ({ bytes: output.subarray(0, length), isWhole: false })
  while (!cursor.isDone) {
    const { count, literal, distance } = elementIn(cursor)
    if (!cursor.ok || length + count > size || distance > length) return broken()
    if (literal !== undefined) output.set(literal, length)
    else if (distance === 0) return broken()
    // Byte by byte: it may copy what it has just written.
    else for (let n = 0; n < count; n += 1) output[length + n] = output[length + n - distance] as number
    length += count
  }
  return { bytes: output.subarray(0, length), isWhole: length === size }
}

interface Element {
  /** of what it adds to the output, in `bytes` */
  readonly count: number
  /** absent: it is copied from the output, from so far back */
  readonly literal?: Buffer
  readonly distance: number
}

function elementIn(cursor: Cursor): Element {
  const tag = cursor.byte()
  const upper = tag >>> 2
  const kind = tag & 3
  if (kind === 0) {
    const count = 1 + (upper < 60 ? upper : littleEndian(cursor, upper - 59))
    return { count, literal: cursor.take(count), distance: 0 }
  }
  if (kind === 1) return { count: 4 + (upper & 7), distance: ((tag >>> 5) << 8) | cursor.byte() }
  return { count: 1 + upper, distance: littleEndian(cursor, kind === 2 ? 2 : 4) }
}

function littleEndian(cursor: Cursor, bytes: number): number {
  let value = 0
  for (let n = 0; n < bytes; n += 1) value += cursor.byte() * 2 ** (8 * n)
  return value
}
