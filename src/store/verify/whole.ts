import { noHash, sha256, skimFrame } from '../codec.ts'
import { bodies, bodyKey, frames, livingHeads, positionOfFrameKey, removedHeads } from '../keys.ts'
import { entryPages, keyPages } from '../scan.ts'
import type { Tail } from '../tail-file.ts'
import type { ReadBody } from './chain.ts'
import { epochsOf } from './epochs.ts'
import type { Still } from './still.ts'
import { StreamsInOrder } from './streams-in-order.ts'
import { newTallySecret, Tally } from './tally.ts'

/** What is to be told of records that are all right. */
export interface Whole {
  readonly records: number
  readonly boxes: number
  /** how many executions there are of boxes that are not removed */
  readonly executions: ReadonlyMap<string, number>
}

export interface WholeInput {
  /** ends of the chain, as they are known: each is passed, and has that hash */
  readonly ends: readonly Tail[]
  /** of the present ownership */
  readonly epoch: number
  readonly readBody: ReadBody
  readonly replay: boolean
}

/**
 * Proves frames, bodies, and the heads, checkpoints and commands that belong to them, by reading frames in the order of
 * positions, and bodies stream by stream: each of them in the order that it lies in. That is several times faster than to
 * look up the body of each frame, but only tells whether all is right. Undefined: it is not, or a repair has declared that
 * something is not; what is wrong is told by who goes record by record.
 */
export async function proveWhole(still: Still, input: WholeInput): Promise<Whole | undefined> {
  if (!still.beside.losses.isEmpty || still.declared.size > 0) return undefined
  try {
    return await tryToProve(still, input)
  } catch {
    // Who goes record by record meets it too, and tells it with its place.
    return undefined
  }
}

async function tryToProve(
  still: Still,
  { ends, epoch, readBody, replay }: WholeInput,
): Promise<Whole | undefined> {
  const secret = newTallySecret()
  const framed = await followFrames(still, ends, new Tally(secret))
  if (framed === undefined) return undefined
  const wrong = { found: false }
  const report = () => {
    wrong.found = true
  }
  const tally = new Tally(secret)
  const streams = new StreamsInOrder(still, { readBody, replay, report, tally })
  for await (const page of entryPages(still.db, bodies, still.at)) {
    const texts = await still.beside.archive.resolve(page.map(([, stored]) => stored))
    for (let n = 0; n < page.length; n += 1) {
      const [key, stored] = page[n] as [string, string]
      if (!streams.follow(key, stored, texts[n])) return undefined
    }
    await streams.settle()
    if (wrong.found) return undefined
  }
  await streams.end()
  streams.epochs.follow(await epochsOf(still, { epoch, report }))
  const isWhole = !wrong.found && tally.isSameAs(framed.tally) && streams.count === (await countHeads(still))
  return isWhole
    ? { records: framed.records, boxes: streams.boxes, executions: streams.executions }
    : undefined
}

/** The chain of frames; undefined: something is not right. */
async function followFrames(
  { db, at }: Still,
  ends: readonly Tail[],
  tally: Tally,
): Promise<{ readonly records: number; readonly tally: Tally } | undefined> {
  let position = 0
  let hash = noHash
  for await (const page of entryPages(db, frames, at))
    for (const [key, text] of page) {
      position += 1
      const frame = skimFrame(text)
      const isNext =
        frame?.position === position && frame.prev === hash && positionOfFrameKey(key) === position
      if (!isNext) return undefined
      hash = sha256(text)
      for (const end of ends) if (end.position === position && end.hash !== hash) return undefined
      tally.add(bodyKey(frame.box, frame.version, position), frame.bodyHash)
    }
  return ends.every(end => end.position <= position) ? { records: position, tally } : undefined
}

async function countHeads({ db, at }: Still): Promise<number> {
  let count = 0
  for (const range of [livingHeads, removedHeads])
    for await (const page of keyPages(db, range, at)) count += page.length
  return count
}
