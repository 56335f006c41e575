import { type Boundary, partsOf, safeIdPattern } from '../../machines/index.ts'
import { closedError } from '../answers.ts'
import { seal } from '../codec.ts'
import type { Database } from '../database.ts'
import { numberOfKey, segmentKey, segments } from '../keys.ts'
import type { Parked } from '../ledger.ts'
import { type Archive, segmentFile } from './archive.ts'
import { encodeRef } from './body-ref.ts'
import { removeLeftovers, segmentsIn } from './leftovers.ts'
import { bodiesToMove, overBefore, type Reading } from './over.ts'
import type { ArchiveReport } from './report.ts'
import type { SegmentEntry } from './segment-entry.ts'
import { SegmentWriter } from './segment-writer.ts'

export interface MoveInput {
  /** reads, and waits for the ledger where it mends itself */
  readonly reading: Reading
  /** puts entries, all of them or none, synced and in turn with the records */
  readonly write: (entries: readonly (readonly [key: string, value: string])[]) => Promise<void>
  readonly archive: Archive
  /** what was over before that: boxes removed, executions ended; in `ms since 1970` */
  readonly before: number
  readonly now: () => number
  readonly engine: string
  readonly parked: ReadonlyMap<string, Parked>
  /** ends it between two steps, with what was moved till then */
  readonly signal: AbortSignal
  readonly boundary: Boundary
}

const maxBytes = 16 << 20
const maxRecords = 16_384

interface Filling {
  readonly writer: SegmentWriter
  readonly entries: [key: string, value: string][]
  readonly boxes: Set<string>
}

/**
 * Moves bodies of removed boxes into new segments, one segment after the other:
 *
 * 1. the segment is written under another name, synced, and gets its name, synced too;
 * 2. in one batch its entry is made in the journal, and references take the places of the bodies.
 *
 * Cut off anywhere, each body is in the database, or its reference is, and its segment has it.
 */
export async function moveBodies(input: MoveInput): Promise<ArchiveReport> {
  const { reading, archive, before, parked, signal, boundary } = input
  await reading(db => removeLeftovers(db, archive.directory, boundary))
  const report = { boxes: new Set<string>(), segments: [] as SegmentEntry[], left: [] as string[] }
  let next = await reading(db => nextSegment(db, archive.directory))
  let filling: Filling | undefined
  const close = async () => {
    if (filling === undefined) return
    const entry = await closeSegment(filling, input)
    filling = undefined
    report.segments.push(entry)
  }
  try {
    for await (const box of overBefore(reading, before)) {
      if (parked.has(box)) report.left.push(box)
      else
        for await (const body of bodiesToMove(reading, box)) {
          if (signal.aborted) throw closedError()
          if (body === 'damaged') {
            report.left.push(box)
            break
          }
          if (filling === undefined) {
            const writer = await SegmentWriter.open(archive.directory, next, boundary)
            filling = { writer, entries: [], boxes: new Set() }
            next += 1
          }
          filling.entries.push([body.key, encodeRef(await filling.writer.add(body.text))])
          filling.boxes.add(partsOf(box).box)
          if (safeIdPattern.test(box)) report.boxes.add(box)
          if (filling.entries.length >= maxRecords || filling.writer.bytes >= maxBytes) await close()
        }
    }
    await close()
  } finally {
    await filling?.writer.discard()
  }
  const sum = (of: 'records' | 'bytes') => report.segments.reduce((total, entry) => total + entry[of], 0)
  return {
    boxes: report.boxes.size,
    records: sum('records'),
    bytes: sum('bytes'),
    segments: report.segments.map(({ segment, records, bytes, sha256 }) => ({
      file: segmentFile(segment),
      records,
      bytes,
      sha256,
    })),
    left: report.left,
  }
}

async function closeSegment(
  { writer, entries, boxes }: Filling,
  { write, now, engine, boundary }: MoveInput,
): Promise<SegmentEntry> {
  const { segment, bytes } = writer
  const sha256 = await writer.finish()
  const at = new Date(now()).toISOString()
  const entry: SegmentEntry = {
    segment,
    at,
    engine,
    records: entries.length,
    boxes: boxes.size,
    bytes,
    sha256,
  }
  boundary('before moving the bodies')
  await write([[segmentKey(segment), seal(JSON.stringify(entry))], ...entries])
  boundary('after moving the bodies')
  return entry
}

/** Never one that there was: a file whose entry is lost may still be needed. */
async function nextSegment(db: Database, directory: string): Promise<number> {
  const [last] = await db.keys({ ...segments, reverse: true, limit: 1 }).all()
  return 1 + Math.max(0, last === undefined ? 0 : numberOfKey(last), ...segmentsIn(directory))
}
