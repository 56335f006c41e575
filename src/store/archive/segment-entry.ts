import { decodeSealed } from '../codec.ts'
import { numberOfKey } from '../keys.ts'

/** A closed segment, as the journal beside the chain has it. */
export interface SegmentEntry {
  readonly segment: number
  /** ISO time */
  readonly at: string
  /** name and version of the engine */
  readonly engine: string
  readonly records: number
  readonly boxes: number
  /** size of the file, in `bytes` */
  readonly bytes: number
  /** of the whole file, in hex */
  readonly sha256: string
}

/** Undefined if the entry is damaged. */
export function segmentOfKey(key: string, sealed: string): SegmentEntry | undefined {
  const entry = decodeSealed(sealed) as SegmentEntry | undefined
  return entry?.segment === numberOfKey(key) ? entry : undefined
}
