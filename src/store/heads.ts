import type { Head } from '../machines/index.ts'
import { decodeHead, decodeSealed } from './codec.ts'
import type { Database } from './database.ts'
import { livingHeads, names, removedKey, suffixOf } from './keys.ts'

export interface LoadedHeads {
  readonly heads: Map<string, Head>
  /** boxes whose head is damaged, by ID */
  readonly damaged: string[]
}

const pageSize = 1000
const pageBytes = 4 << 20

/** Reads the heads of all boxes that are not removed. */
export async function loadHeads(db: Database): Promise<LoadedHeads> {
  const heads = new Map<string, Head>()
  const damaged: string[] = []
  const iterator = db.iterator({ ...livingHeads, highWaterMarkBytes: pageBytes })
  try {
    for (let page = await iterator.nextv(pageSize); page.length > 0; page = await iterator.nextv(pageSize)) {
      for (const [key, value] of page) {
        const box = suffixOf(key)
        const head = decodeHead(value)
        if (head?.box === box) heads.set(box, head)
        else damaged.push(box)
      }
    }
  } finally {
    await iterator.close()
  }
  return { heads, damaged }
}

/** Names as the index on disk has them; a damaged entry has no box. */
export async function loadNames(db: Database): Promise<Map<string, string | undefined>> {
  const entries = await db.iterator({ ...names, highWaterMarkBytes: pageBytes }).all()
  return new Map(
    entries.map(([key, value]) => [suffixOf(key), (decodeSealed(value) as { box: string } | undefined)?.box]),
  )
}

export async function loadRemovedHead(db: Database, box: string): Promise<Head | 'damaged' | undefined> {
  const sealed = await db.get(removedKey(box))
  if (sealed === undefined) return undefined
  const head = decodeHead(sealed)
  return head?.box === box ? head : 'damaged'
}
