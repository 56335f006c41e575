import { decodeFrame, decodeHead, sha256 } from '../codec.ts'
import type { Database } from '../database.ts'
import { bodiesOf, frameKey, partsOfBodyKey, removedHeads, suffixOf } from '../keys.ts'
import { decodeRef } from './body-ref.ts'

/** Reads of a ledger that may mend itself meanwhile: no iterator outlives one. */
export type Reading = <T>(read: (db: Database) => Promise<T>) => Promise<T>

const pageSize = 256

/** Streams of boxes that were removed, and of executions that ended, before a time. */
export async function* overBefore(reading: Reading, before: number): AsyncGenerator<string> {
  for (let last: string | undefined; ; ) {
    const range = last === undefined ? removedHeads : { gt: last, lt: removedHeads.lt }
    const page = await reading(db => db.iterator({ ...range, limit: pageSize }).all())
    for (const [key, sealed] of page) {
      const head = decodeHead(sealed)
      if (head?.box === suffixOf(key) && head.updatedAt < before) yield head.box
    }
    last = page.at(-1)?.[0]
    if (last === undefined) return
  }
}

/** Bodies of a stream that are in the database, each proven by its frame: no damage is moved. */
export async function* bodiesToMove(
  reading: Reading,
  box: string,
): AsyncGenerator<{ readonly key: string; readonly text: string } | 'damaged'> {
  for (let version = 1; ; ) {
    const page = await reading(db => db.iterator({ ...bodiesOf(box, version), limit: pageSize }).all())
    if (page.length === 0) return
    const places = page.map(([key]) => partsOfBodyKey(key))
    const frames: (string | undefined)[] = await reading(db =>
      db.getMany(places.map(({ position }) => frameKey(position))),
    )
    for (const [n, [key, text]] of page.entries()) {
      const place = places[n]
      if (place !== undefined) version = place.version + 1
      if (decodeRef(text) !== undefined) continue
      const frame = decodeFrame(frames[n])
      const isProven =
        frame?.box === box && frame.version === place?.version && frame.bodyHash === sha256(text)
      yield isProven ? { key, text } : 'damaged'
    }
  }
}
