import { keyTrailer } from '../leveldb/table-format.ts'
import type { DataBlock } from './table-file.ts'

/** frames and bodies, as `keys.ts` makes them */
const record = /^(f|b\/[\w.-]+\/[0-9a-f]{14})\/[0-9a-f]{14}$/
/** kind of an entry that holds a value */
const value = 1

/**
 * Whether a damaged block holds nothing but frames and bodies, in order: then a reader gets what its hashes prove, or
 * finds it damaged or missing, and the block does no harm to LevelDB.
 */
export function provenByHashes({ after, upTo, entries }: DataBlock): boolean {
  let before = after
  const all = entries()
  if (all === undefined) return false
  for (const { key } of all) {
    if (key.length < keyTrailer || key[key.length - keyTrailer] !== value) return false
    const own = key.subarray(0, -keyTrailer)
    if (!record.test(own.toString('latin1'))) return false
    if (before !== undefined && Buffer.compare(before, own) >= 0) return false
    if (Buffer.compare(own, upTo) > 0) return false
    before = own
  }
  return true
}
