import { crc32c, unmask } from './crc32c.ts'

/**
 * LevelDB's log format, which its log and its manifest have.
 *
 *   block     32 KiB, filled with fragments; what is left and too small for a header is padding
 *   fragment  checksum of kind and data (4), length of data (2), kind (1): full, first, middle or last; data
 *   record    one full fragment, or a first, middles and a last one
 */
export const blockSize = 32_768
export const headerSize = 7

export const kinds = { full: 1, first: 2, middle: 3, last: 4 } as const

export interface Fragment {
  readonly kind: number
  /** where its data begins, and where the next fragment would */
  readonly start: number
  readonly end: number
  /** it is as it was written, by its checksum */
  readonly isSound: boolean
}

/** What stands at a place where a header has room. Its end may be behind that of its block. */
export function fragmentAt(file: Buffer, at: number, blockEnd: number): Fragment {
  const start = at + headerSize
  const end = start + file.readUInt16LE(at + 4)
  const kind = file.readUInt8(at + 6)
  const isSound =
    end <= blockEnd &&
    kind >= kinds.full &&
    kind <= kinds.last &&
    unmask(file.readUInt32LE(at)) === crc32c(file, at + 6, end)
  return { kind, start, end, isSound }
}
