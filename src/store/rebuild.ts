import { isDeepStrictEqual } from 'node:util'
import { type BoxState, type Head, isRefusal, step } from '../machines/index.ts'
import { type Body, decodeBody, decodeFrame, noHash, sha256 } from './codec.ts'
import type { Database } from './database.ts'
import { bodiesOf, frameKey, partsOfBodyKey } from './keys.ts'

/** JSON as it would be read back: what is undefined is not there. */
const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/**
 * Folds one body. Undefined if the machine of today does not come to what was recorded: then the fold is not the
 * truth, and the recorded outcome cannot be completed by it.
 */
export function fold(state: BoxState | undefined, body: Body): BoxState | undefined {
  try {
    const outcome = step(state, body.event, { at: Date.parse(body.at), version: body.version })
    if (isRefusal(outcome)) return undefined
    const { from, to, effects, timers } = outcome
    const agrees =
      from === body.from &&
      to === body.to &&
      isDeepStrictEqual(stored({ effects, timers }), { effects: body.effects, timers: body.timers })
    return agrees ? (stored(outcome.state) as BoxState) : undefined
  } catch {
    // A guard or an assignment threw on what is stored: no agreement either.
    return undefined
  }
}

/** Makes a damaged head anew from the box's history; undefined if that has damage of its own. */
export async function rebuildHead(db: Database, box: string): Promise<Head | undefined> {
  let head: Head | undefined
  for await (const [key, text] of db.iterator({ ...bodiesOf(box) })) {
    const { version, position } = partsOfBodyKey(key)
    const body = decodeBody(text)
    const bodyHash = sha256(text)
    const frame = decodeFrame(await db.get(frameKey(position)))
    const links =
      body !== undefined &&
      frame?.bodyHash === bodyHash &&
      body.version === version &&
      version === (head?.version ?? 0) + 1 &&
      body.prevBody === (head?.bodyHash ?? noHash)
    const state = links ? fold(head?.state, body) : undefined
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
    }
  }
  return head
}
