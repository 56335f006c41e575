import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { segmentFile, segmentName } from '../archive/archive.ts'
import { type SegmentEntry, segmentOfKey } from '../archive/segment-entry.ts'
import { segments } from '../keys.ts'
import type { Report, Still } from './still.ts'

/** Each segment is, byte for byte, what the journal says of it, and each that records lead to is there. */
export async function verifySegments(
  { db, at, beside, referred }: Still,
  { report }: { readonly report: Report },
): Promise<void> {
  const known = new Set<number>()
  for await (const [key, sealed] of db.iterator({ ...segments, ...at })) {
    const entry = segmentOfKey(key, sealed)
    if (entry === undefined) {
      report({ kind: 'journal', message: `The entry ${key} is damaged` })
      continue
    }
    known.add(entry.segment)
    const message = await problemOf(beside.archive.directory, entry)
    if (message !== undefined) report({ kind: 'segment', file: segmentFile(entry.segment), message })
  }
  for (const segment of referred)
    if (!known.has(segment))
      report({
        kind: 'journal',
        file: segmentFile(segment),
        message: 'Records lead to a segment that has no entry',
      })
}

async function problemOf(
  directory: string,
  { segment, records, bytes, sha256 }: SegmentEntry,
): Promise<string | undefined> {
  const path = join(directory, segmentName(segment))
  const has = `The segment with ${records} ${records === 1 ? 'body' : 'bodies'} of removed boxes`
  try {
    const { size } = await stat(path)
    if (size < bytes) return `${has} is cut off: ${size} of ${bytes} bytes are there`
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    return hash.digest('hex') === sha256 ? undefined : `${has} was altered: it has another SHA-256`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${has} is missing`
    return `${has} cannot be read: ${error instanceof Error ? error.message : error}`
  }
}
