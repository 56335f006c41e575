/**
 * Reader for LZ4's legacy frame, the one the Linux kernel packs itself in:
 *
 *     magic 0x184c2102 (LE) | block size (LE) | block | block size | block | …
 *
 * Each block is independent and unpacks to at most 8 MiB. Format: "LZ4 Frame Format, Legacy frame" and "LZ4 Block
 * Format" in the lz4 project's doc/.
 */
const magic = 0x184c2102
const maxBlock = 8 * 1024 * 1024

/** The input is not what it should be; `offset` is where that was seen. */
export class Lz4Error extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(`lz4: ${message} at byte ${offset}`)
    this.name = 'Lz4Error'
    this.offset = offset
  }
}

export function isLz4Legacy(input: Uint8Array): boolean {
  return input.length >= 4 && view(input).getUint32(0, true) === magic
}

/**
 * Unpacks a whole legacy frame whose unpacked size is known (the kernel stores it behind the frame).
 * Throws Lz4Error for anything that is not exactly that many bytes of well-formed blocks.
 */
export function unpackLz4Legacy(input: Uint8Array, size: number): Buffer {
  if (!isLz4Legacy(input)) throw new Lz4Error('no legacy frame magic', 0)
  const words = view(input)
  const output = Buffer.allocUnsafe(size)
  let to = 0
  let at = 4
  while (at < input.length) {
    if (at + 4 > input.length) throw new Lz4Error('cut off in a block size', at)
    const length = words.getUint32(at, true)
    at += 4
    if (length === 0 || at + length > input.length)
      throw new Lz4Error(`impossible block size ${length}`, at - 4)
    to = unpackBlock(input, at, at + length, output, to)
    at += length
  }
  if (to !== size) throw new Lz4Error(`${to} bytes unpacked where ${size} were expected`, at)
  return output
}

/** Unpacks the block input[at..end) to output[start..], at most 8 MiB; gives the new end of the output. */
function unpackBlock(input: Uint8Array, at: number, end: number, output: Buffer, start: number): number {
  const limit = Math.min(output.length, start + maxBlock)
  let to = start
  while (at < end) {
    const token = input[at++] ?? 0
    // 1. Literals: copied as they are.
    let literals = token >> 4
    if (literals === 15) [literals, at] = longLength(input, at, end, literals)
    if (literals > end - at) throw new Lz4Error('literals cut off', at)
    if (literals > limit - to) throw new Lz4Error('more output than expected', at)
    output.set(input.subarray(at, at + literals), to)
    at += literals
    to += literals
    // The last sequence of a block has no match.
    if (at === end) return to

    // 2. A match: earlier output again, possibly overlapping itself.
    if (end - at < 2) throw new Lz4Error('match offset cut off', at)
    const distance = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8)
    at += 2
    if (distance === 0 || distance > to - start)
      throw new Lz4Error(`match offset ${distance} out of range`, at - 2)
    let length = token & 15
    if (length === 15) [length, at] = longLength(input, at, end, length)
    length += 4
    if (length > limit - to) throw new Lz4Error('more output than expected', at)
    const from = to - distance
    if (distance >= length) output.copyWithin(to, from, from + length)
    else for (let i = 0; i < length; i++) output[to + i] = output[from + i] ?? 0
    to += length
  }
  throw new Lz4Error('block ends in a match', at)
}

/** A length that did not fit its four bits goes on in bytes of 255 and one smaller. */
function longLength(input: Uint8Array, at: number, end: number, start: number): [length: number, at: number] {
  let length = start
  for (;;) {
    if (at >= end) throw new Lz4Error('length cut off', at)
    const more = input[at++] ?? 0
    length += more
    if (more !== 255) return [length, at]
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
