import { bodies, frames, livingHeads, removedHeads } from '../keys.ts'
import { entryPages, keyPages } from '../scan.ts'
import type { Tail } from '../tail-file.ts'
import type { ReadBody } from './chain.ts'
import { epochsOf } from './epochs.ts'
import { FrameChain } from './frame-chain.ts'
import type { Doubt, Still } from './still.ts'
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
 * positions, and bodies stream by stream: each of them in the order that it lies in. That costs much less than to
 * look up the body of each frame, but only tells whether all is right. Undefined: it is not, or a repair has declared that
 * something is not; what is wrong is told by who goes record by record.
 */
export async function proveWhole(
  still: Still,
  { ends, epoch, readBody, replay }: WholeInput,
): Promise<Whole | undefined> {
  const doubt: Doubt = { isCast: !still.beside.losses.isEmpty || still.declared.size > 0 }
  if (doubt.isCast) return undefined
  const castDoubt = () => {
    doubt.isCast = true
  }
  const secret = newTallySecret()
  const [wanted, found] = [new Tally(secret), new Tally(secret)]
  const chain = new FrameChain({ ends, tally: wanted })
  const streams = new StreamsInOrder(still, { readBody, replay, tally: found, report: castDoubt })
  const inBodies = async () => {
    await followBodies(still, streams, doubt)
    streams.epochs.follow(await epochsOf(still, { epoch, report: castDoubt }))
    if (streams.count !== (await countHeads(still))) castDoubt()
  }
  // Whatever keeps one of them from its end, who goes record by record meets it too, and tells it.
  await Promise.all([followFrames(still, chain, doubt).catch(castDoubt), inBodies().catch(castDoubt)])
  if (doubt.isCast || !wanted.isSameAs(found)) return undefined
  return { records: chain.records, boxes: streams.boxes, executions: streams.executions }
}

async function followFrames({ db, at }: Still, chain: FrameChain, doubt: Doubt): Promise<void> {
  for await (const page of entryPages(db, frames, at)) {
    if (!chain.follow(page)) doubt.isCast = true
    if (doubt.isCast) return
  }
  if (!chain.end()) doubt.isCast = true
}

async function followBodies({ db, at, beside }: Still, streams: StreamsInOrder, doubt: Doubt): Promise<void> {
  for await (const page of entryPages(db, bodies, at)) {
    const texts = await beside.archive.resolve(page.map(([, stored]) => stored))
    for (let n = 0; n < page.length && !doubt.isCast; n += 1) {
      const [key, stored] = page[n] as [string, string]
      if (!streams.follow(key, stored, texts[n])) doubt.isCast = true
    }
    await streams.settle()
    if (doubt.isCast) return
  }
  await streams.end()
}

async function countHeads({ db, at }: Still): Promise<number> {
  let count = 0
  for (const range of [livingHeads, removedHeads])
    for await (const page of keyPages(db, range, at)) count += page.length
  return count
}
