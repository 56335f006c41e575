import { crc32c, unmask } from './crc32c.ts'

/**
 * Reads LevelDB's log format, which its log and its manifest have.
 *
 *   block     32 KiB, filled with fragments; what is left and too small for a header is padding
 *   fragment  checksum of type and data (4), length of data (2), type (1): full, first, middle or last; data
 *   record    one full fragment, or a first, middles and a last one
 */
export interface LogFile {
  readonly records: readonly Uint8Array[]
  /** Parts that are not what was written, in order. LevelDB drops them, and all behind them in their block, in silence. */
  readonly bad: readonly BadPart[]
}

export interface BadPart {
  readonly offset: number
  readonly end: number
  /** no record stands behind it */
  readonly isLast: boolean
  /** the file ends in the middle of it, as where a write was cut off: LevelDB takes that for the end */
  readonly isCut: boolean
}

const blockSize = 32_768
const headerSize = 7
/** 2 is the first fragment of several, 3 one in the middle */
const [full, first, last] = [1, 2, 4] as const

export function readLogFile(bytes: Uint8Array): LogFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: Uint8Array[] = []
  const bad: { offset: number; end: number; isLast: boolean; isCut: boolean }[] = []
  /** the record whose first fragment was met */
  let parts: Uint8Array[] = []
  let begun: number | undefined
  const spoil = (offset: number, end: number, isCut = false) => {
    const before = bad.at(-1)
    const from = begun ?? offset
    if (before?.isLast && before.end >= from) before.end = end
    else bad.push({ offset: from, end, isLast: true, isCut })
    begun = undefined
  }
  const keep = (record: Uint8Array) => {
    for (const part of bad) part.isLast = false
    records.push(record)
    begun = undefined
  }

  for (let at = 0; at < bytes.length; ) {
    const blockEnd = Math.min(bytes.length, at - (at % blockSize) + blockSize)
    if (blockEnd - at < headerSize) {
      // Padding, or a header that was cut off.
      if (blockEnd % blockSize !== 0) spoil(at, blockEnd, true)
      at = blockEnd
      continue
    }
    const length = view.getUint16(at + 4, true)
    const type = view.getUint8(at + 6)
    const end = at + headerSize + length
    const isGood =
      end <= blockEnd &&
      type >= full &&
      type <= last &&
      unmask(view.getUint32(at, true)) === crc32c(bytes, at + 6, end)
    if (!isGood) {
      spoil(at, blockEnd, end > blockEnd && blockEnd % blockSize !== 0)
      at = blockEnd
      continue
    }
    const data = bytes.subarray(at + headerSize, end)
    if (type === full || type === first) {
      if (begun !== undefined) spoil(begun, at)
      if (type === full) keep(data)
      else [parts, begun] = [[data], at]
    } else if (begun === undefined) spoil(at, end)
    else {
      parts.push(data)
      if (type === last) keep(Buffer.concat(parts))
    }
    at = end
  }
  if (begun !== undefined) spoil(begun, bytes.length, true)
  return { records, bad }
}
