import type { Archive } from './archive/archive.ts'
import { decodeFrame, type Frame } from './codec.ts'
import type { Database } from './database.ts'
import { bodyKey, frameKey, framesBetween, positionOfFrameKey } from './keys.ts'
import { entriesOf, type ScanOptions } from './scan.ts'

/** A frame as it is stored, and the body that it leads to. */
export interface Text {
  readonly position: number
  readonly text: string
  /** undefined: the frame cannot be read */
  readonly frame: Frame | undefined
  /** what is in the body's place: the body, or a reference to the archive */
  readonly stored: string | undefined
  readonly body: string | undefined
}

/** Bodies lie by stream, frames by position: the more are asked for at once, the fewer blocks are read twice. */
const pageSize = 1_024

/** Pages that are read while one is worked on: so the disk and the processor work at the same time. */
const pagesAhead = 3

/** Frames from one position to another, both inclusive, with their bodies. */
export async function* textPages(
  read: <T>(work: (db: Database) => Promise<T>) => Promise<T>,
  archive: Archive,
  from: number,
  to: number,
  options: ScanOptions = {},
): AsyncGenerator<Text[]> {
  const pageAt = (first: number): Promise<Text[]> => {
    const page = read(async db => {
      const range = framesBetween(first, Math.min(to, first + pageSize - 1))
      const entries = await entriesOf(db, range, pageSize, options)
      return withBodies(db, archive, entries, options)
    })
    page.catch(() => {
      // Told when it is its turn, if anybody is left to hear of it.
    })
    return page
  }
  const [last] = await read(db =>
    db.keys({ ...framesBetween(from, to), ...options, reverse: true, limit: 1 }).all(),
  )
  const end = last === undefined ? 0 : positionOfFrameKey(last)
  const pages: Promise<Text[]>[] = []
  let next = from
  try {
    while (next <= end || pages.length > 0) {
      for (; next <= end && pages.length < pagesAhead; next += pageSize) pages.push(pageAt(next))
      const page = await pages.shift()
      if (page !== undefined && page.length > 0) yield page
    }
  } finally {
    // Nothing is read any more when this is left: a snapshot may be closed then.
    await Promise.allSettled(pages)
  }
}

/** Frames at these positions, with their bodies; what has no frame is left out. */
export async function textsAt(db: Database, archive: Archive, positions: readonly number[]): Promise<Text[]> {
  const keys = positions.map(frameKey)
  const found: (string | undefined)[] = await db.getMany(keys)
  const entries = keys.flatMap((key, n): [string, string][] => {
    const text = found[n]
    return text === undefined ? [] : [[key, text]]
  })
  return withBodies(db, archive, entries, {})
}

async function withBodies(
  db: Database,
  archive: Archive,
  entries: readonly [string, string][],
  options: ScanOptions,
): Promise<Text[]> {
  const positions = entries.map(([key]) => positionOfFrameKey(key))
  const frames = entries.map(([, text]) => decodeFrame(text))
  const keys = frames.map((frame, n) =>
    frame === undefined ? frameKey(0) : bodyKey(frame.box, frame.version, positions[n] ?? 0),
  )
  // In the order of keys, each block of the database is read once.
  const order = [...keys.keys()].sort((a, b) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1))
  const values: (string | undefined)[] = await db.getMany(
    order.map(n => keys[n] ?? ''),
    options,
  )
  const stored = new Array<string | undefined>(keys.length)
  for (const [at, n] of order.entries()) stored[n] = values[at]
  const bodies = await archive.resolve(stored)
  return entries.map(([, text], n) => ({
    position: positions[n] ?? 0,
    text,
    frame: frames[n],
    stored: stored[n],
    body: bodies[n],
  }))
}
