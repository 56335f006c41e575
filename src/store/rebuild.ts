import { replay, type StreamHead } from '../machines/index.ts'
import type { Beside } from './beside.ts'
import { decodeBody, decodeFrame, noHash, sha256 } from './codec.ts'
import type { Database } from './database.ts'
import { bodiesOf, frameKey, partsOfBodyKey } from './keys.ts'
import { entryPages } from './scan.ts'

/** Makes a damaged head anew from the stream's history; undefined if that has damage of its own. */
export async function rebuildHead(
  db: Database,
  box: string,
  { archive, schema }: Pick<Beside, 'archive' | 'schema'>,
): Promise<StreamHead | undefined> {
  let head: StreamHead | undefined
  for await (const page of entryPages(db, bodiesOf(box))) {
    const places = page.map(([key]) => partsOfBodyKey(key))
    const frames: (string | undefined)[] = await db.getMany(places.map(({ position }) => frameKey(position)))
    const texts = await archive.resolve(page.map(([, stored]) => stored))
    for (const [n, text = ''] of texts.entries()) {
      const { version = 0, position = 0 } = places[n] ?? {}
      const bodyHash = sha256(text)
      const isProven = decodeFrame(frames[n])?.bodyHash === bodyHash
      const body = isProven ? decodeBody(text, schema) : undefined
      const links =
        body !== undefined &&
        body.version === version &&
        version === (head?.version ?? 0) + 1 &&
        body.prevBody === (head?.bodyHash ?? noHash)
      const state = links ? replay(head?.state, body) : undefined
      if (!links || state === undefined) return undefined
      head = {
        box,
        version,
        position,
        createdPosition: head?.createdPosition ?? position,
        updatedAt: Date.parse(body.at),
        lastEvent: body.event.type,
        bodyHash,
        state,
      } as StreamHead
    }
  }
  return head && (JSON.parse(JSON.stringify(head)) as StreamHead)
}
