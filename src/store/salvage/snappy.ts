import { readVarint } from './varint.ts'

export interface Decompressed {
  readonly bytes: Buffer
  /** false: it breaks off where the input makes no sense any more */
  readonly isWhole: boolean
}

/** Larger ones are taken for damage: no block of ours comes near. */
const maxBytes = 64 << 20

/** Snappy's raw format, as far as it can be followed. */
export function decompress(input: Buffer): Decompressed {
  const size = readVarint(input, 0)
  if (size === undefined || size.value > maxBytes) return { bytes: Buffer.alloc(0), isWhole: false }
  const output = Buffer.alloc(size.value)
  let at = size.end
  let length = 0
  while (at < input.length) {
    const element = elementAt(input, at)
    if (element === undefined || length + element.length > output.length) break
    if (element.copyFrom === undefined) {
      if (element.end > input.length) break
      input.copy(output, length, element.end - element.length, element.end)
    } else {
      const from = length - element.copyFrom
      if (from < 0 || element.copyFrom === 0) break
      // Byte by byte: a copy may overlap what it writes.
      for (let n = 0; n < element.length; n += 1) output[length + n] = output[from + n] ?? 0
    }
    length += element.length
    at = element.end
  }
  return { bytes: output.subarray(0, length), isWhole: at === input.length && length === output.length }
}

interface Element {
  /** of what it adds to the output, in `bytes` */
  readonly length: number
  /** distance back in the output; absent: a literal, whose bytes stand before `end` */
  readonly copyFrom?: number
  readonly end: number
}

function elementAt(input: Buffer, at: number): Element | undefined {
  const tag = input[at] ?? 0
  const upper = tag >>> 2
  const kind = tag & 3
  const extra = kind === 0 ? Math.max(0, upper - 59) : kind === 3 ? 4 : kind
  const start = at + 1 + extra
  if (start > input.length) return undefined
  const number = extra === 0 ? upper : input.readUIntLE(at + 1, extra)
  if (kind === 0) return { length: number + 1, end: start + number + 1 }
  if (kind === 1) return { length: (upper & 7) + 4, copyFrom: ((tag >>> 5) << 8) | number, end: start }
  return { length: upper + 1, copyFrom: number, end: start }
}
