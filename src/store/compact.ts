import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { Boundary } from '../machines/index.ts'
import type { Database } from './database.ts'
import { frameKey, frames, positionOfFrameKey, type Range } from './keys.ts'

/** What became of the space that the database takes up. */
export interface CompactReport {
  /** size of its files, in `bytes` */
  readonly before: number
  readonly after: number
}

/** Frames that are compacted at a time: between two steps it can be ended. */
const step = 1 << 18

/**
 * Gives back the space of everything that was overwritten or deleted. Files are written anew before the old ones go, so
 * that room for a part of the database is needed meanwhile. Reads and writes go on.
 */
export async function compactDatabase(db: Database, signal: AbortSignal, boundary: Boundary): Promise<void> {
  // A database in memory has nothing to compact.
  if (!(db instanceof ClassicLevel)) return
  for (const { gte, lt } of await rangesOf(db)) {
    if (signal.aborted) return
    boundary('before compacting')
    await db.compactRange(gte, lt)
    boundary('after compacting')
  }
}

/** All keys in pieces: bodies by the first character of their box. */
async function rangesOf(db: Database): Promise<Range[]> {
  const [last] = await db.keys({ ...frames, reverse: true, limit: 1 }).all()
  const end = last === undefined ? 0 : positionOfFrameKey(last)
  const bounds = ['', 'b/', ...[...'0123456789abcdefghijklmnopqrstuvwxyz'].map(first => `b/${first}`), 'b0']
  for (let position = 0; position <= end; position += step) bounds.push(frameKey(position))
  bounds.push('f0', '~')
  return bounds.slice(1).map((lt, n) => ({ gte: bounds[n] ?? '', lt }))
}

/** Size of what is in a directory, the ballast not counted, in `bytes`; 0 if it is not there. */
export function sizeOf(directory: string): number {
  let bytes = 0
  try {
    for (const name of readdirSync(directory))
      if (name !== 'ballast') bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return bytes
}
