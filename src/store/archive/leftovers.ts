import { existsSync, readdirSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Boundary } from '../../machines/index.ts'
import { decodeStored } from '../codec.ts'
import type { Database } from '../database.ts'
import { bodiesOf, segmentKey } from '../keys.ts'
import { segmentOfName } from './archive.ts'
import { unfinished } from './segment-writer.ts'

/** Numbers of the segments that have a file. */
export function segmentsIn(directory: string): number[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap(name => segmentOfName(name) ?? [])
}

/**
 * Throws away what an archiving that was cut off has left: segments without their name, and those that nothing leads
 * to yet. Of the latter only if all that they hold is in the database too: that the journal does not know a segment is
 * no proof that nobody needs it.
 */
export async function removeLeftovers(db: Database, directory: string, boundary: Boundary): Promise<void> {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const segment = segmentOfName(name)
    const isLeft =
      name.endsWith(unfinished) ||
      (segment !== undefined && !(await db.has(segmentKey(segment))) && (await isRedundant(db, path)))
    if (!isLeft) continue
    boundary('before removing a leftover')
    await rm(path)
    boundary('after removing a leftover')
  }
}

async function isRedundant(db: Database, path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8')
  for (const line of text.split('\n').filter(line => line !== '')) {
    const body = decodeStored(line)
    if (body === undefined) return false
    const [stored] = await db.values({ ...bodiesOf(body.box, body.version), limit: 1 }).all()
    if (stored !== line) return false
  }
  return true
}
