import { blockSize, fragmentAt, headerSize, kinds } from '../leveldb/log-format.ts'

export interface LogFile {
  readonly records: readonly Buffer[]
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

/** Reads a log or a manifest, as LevelDB does. */
export function readLogFile(bytes: Buffer): LogFile {
  const records: Buffer[] = []
  const bad: { offset: number; end: number; isLast: boolean; isCut: boolean }[] = []
  /** the record whose first fragment was met */
  let parts: Buffer[] = []
  let begun: number | undefined
  const spoil = (offset: number, end: number, isCut = false) => {
    const before = bad.at(-1)
    const from = begun ?? offset
    if (before?.isLast && before.end >= from) before.end = end
    else bad.push({ offset: from, end, isLast: true, isCut })
    begun = undefined
  }
  const keep = (record: Buffer) => {
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
    const { kind, start, end, isSound } = fragmentAt(bytes, at, blockEnd)
    if (!isSound) {
      spoil(at, blockEnd, end > blockEnd && blockEnd % blockSize !== 0)
      at = blockEnd
      continue
    }
    const data = bytes.subarray(start, end)
    if (kind === kinds.full || kind === kinds.first) {
      if (begun !== undefined) spoil(begun, at)
      if (kind === kinds.full) keep(data)
      else [parts, begun] = [[data], at]
    } else if (begun === undefined) spoil(at, end)
    else {
      parts.push(data)
      if (kind === kinds.last) keep(Buffer.concat(parts))
    }
    at = end
  }
  if (begun !== undefined) spoil(begun, bytes.length, true)
  return { records, bad }
}
