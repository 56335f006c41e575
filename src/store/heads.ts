import type { StreamHead } from '../machines/index.ts'
import { decodeHead, decodeSealed } from './codec.ts'
import type { Database } from './database.ts'
import { headKey, livingHeads, names, removedKey, suffixOf } from './keys.ts'
import { entryPages } from './scan.ts'

export interface LoadedHeads {
  readonly heads: Map<string, StreamHead>
  /** streams whose head is damaged */
  readonly damaged: string[]
}

/** Reads the heads of all streams that are not over. */
export async function loadHeads(db: Database): Promise<LoadedHeads> {
  const heads = new Map<string, StreamHead>()
  const damaged: string[] = []
  for await (const page of entryPages(db, livingHeads)) {
    for (const [key, value] of page) {
      const box = suffixOf(key)
      const head = decodeHead(value)
      if (head?.box === box) heads.set(box, head)
      else damaged.push(box)
    }
  }
  return { heads, damaged }
}

/** Names as the index on disk has them; a damaged entry has no box. */
export async function loadNames(db: Database): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>()
  for await (const page of entryPages(db, names))
    for (const [key, value] of page)
      found.set(suffixOf(key), (decodeSealed(value) as { box: string } | undefined)?.box)
  return found
}

export async function loadRemovedHead(
  db: Database,
  box: string,
): Promise<StreamHead | 'damaged' | undefined> {
  const sealed = await db.get(removedKey(box))
  if (sealed === undefined) return undefined
  const head = decodeHead(sealed)
  return head?.box === box ? head : 'damaged'
}

/** A stream's head as a database holds it this very moment, whoever has it open; undefined: none, or a damaged one. */
export function storedHead(db: Database, box: string): StreamHead | undefined {
  return decodeHead(db.getSync(headKey(box)) ?? db.getSync(removedKey(box)))
}
