import type { Head } from '../machines/index.ts'
import { decodeFrame, decodeHead } from './codec.ts'
import type { Database } from './database.ts'
import { checkpointKey, checkpointsUntil, frameKey } from './keys.ts'

/**
 * Every so many versions of a box its head is kept, so that a past state is at most so many records away from one that
 * is stored. A checkpoint can always be made again, and none has to be there.
 */
export const checkpointEvery = 64

export function isCheckpoint(version: number): boolean {
  return version % checkpointEvery === 0
}

/** The last head that was kept up to a version, if it is what its frame says; undefined: fold from the beginning. */
export async function checkpointBefore(
  db: Database,
  box: string,
  version: number,
): Promise<Head | undefined> {
  const range = checkpointsUntil(box, version)
  for await (const [key, sealed] of db.iterator({ ...range, reverse: true })) {
    const head = decodeHead(sealed)
    if (head?.box !== box || key !== checkpointKey(box, head.version)) continue
    if (isOfFrame(head, await db.get(frameKey(head.position)))) return head as Head
  }
  return undefined
}

function isOfFrame(
  { box, version, bodyHash }: Pick<Head, 'box' | 'version' | 'bodyHash'>,
  text: string | undefined,
): boolean {
  const frame = decodeFrame(text)
  return frame?.box === box && frame.version === version && frame.bodyHash === bodyHash
}
