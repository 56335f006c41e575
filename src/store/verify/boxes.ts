import { partsOf, replay as replayed, safeIdPattern } from '../../machines/index.ts'
import { isCheckpoint } from '../checkpoints.ts'
import { type Body, decodeFrame, decodeHead, type Frame, noHash } from '../codec.ts'
import { isOver } from '../entry.ts'
import {
  bodies,
  bodiesOf,
  bodyKey,
  frameKey,
  headKey,
  livingHeads,
  partsOfBodyKey,
  removedHeads,
  removedKey,
  suffixOf,
} from '../keys.ts'
import { entryPages, keyPages } from '../scan.ts'
import { type Expected, verifyCheckpoints } from './checkpoints.ts'
import { type Chain, differenceOf, isHeadOf, isOverIn } from './head.ts'
import type { Skimmed } from './skim.ts'
import type { Report, Still } from './still.ts'

const heads = [
  [livingHeads, false],
  [removedHeads, true],
] as const

export interface BoxChainsOptions {
  readonly replay: boolean
  readonly report: Report
}

/** Follows every box and every execution through its records, and holds the result against its head. */
export class BoxChains {
  readonly #still: Still
  readonly #options: BoxChainsOptions
  /** how many executions there are of boxes that are not removed */
  readonly executions = new Map<string, number>()
  readonly #chains = new Map<string, Chain>()
  /** passed since the last look at them */
  #checkpoints: Expected[] = []
  /** streams that have come to their end, and are still held */
  readonly #over: string[] = []
  /** how many are not held any more, and how many boxes are among them */
  #settled = 0
  #settledBoxes = 0
  /** how many bodies frames have led to */
  #bodies = 0

  constructor(still: Still, options: BoxChainsOptions) {
    this.#still = still
    this.#options = options
  }

  /** how many boxes there are */
  get boxes(): number {
    let boxes = this.#settledBoxes
    for (const stream of this.#chains.keys()) if (safeIdPattern.test(stream)) boxes += 1
    return boxes
  }

  /**
   * Takes the next record of a stream; `body` is undefined where it is damaged, which is reported already. `hasBody`: there
   * is one, damaged or not.
   */
  follow(frame: Frame, body: Body | Skimmed | undefined, hasBody: boolean): void {
    const { box, version, position, bodyHash } = frame
    const { replay } = this.#options
    const report = this.#reportOf(box)
    let chain = this.#chains.get(box)
    if (chain === undefined) {
      chain = {
        version: 0,
        created: position,
        position,
        bodyHash: noHash,
        to: undefined,
        state: undefined,
        folding: replay,
      }
      this.#chains.set(box, chain)
      this.#count(box)
    }
    if (hasBody) this.#bodies += 1
    if (version !== chain.version + 1) {
      report({
        kind: 'version',
        position,
        box,
        message: `Version ${version} follows version ${chain.version}`,
      })
      chain.folding = false
    }
    if (body !== undefined && body.prevBody !== chain.bodyHash && version === chain.version + 1)
      report({ kind: 'box-chain', position, box, message: 'The body does not link to the one before it' })
    if (chain.folding) this.#fold(chain, frame, body && 'event' in body ? body : undefined)
    chain.version = version
    chain.position = position
    chain.bodyHash = bodyHash
    chain.to = body?.to
    if (isCheckpoint(version))
      this.#checkpoints.push({
        box,
        version,
        position,
        bodyHash,
        state: chain.folding ? chain.state : undefined,
      })
    if (isOverIn(body?.to)) this.#over.push(box)
  }

  #count(stream: string): void {
    const { box, execution } = partsOf(stream)
    if (execution !== undefined) this.executions.set(box, (this.executions.get(box) ?? 0) + 1)
  }

  #fold(chain: Chain, { position, box }: Frame, body: Body | undefined): void {
    chain.state = body && replayed(chain.state, body)
    if (chain.state !== undefined) return
    chain.folding = false
    if (body !== undefined)
      this.#reportOf(box)({
        kind: 'replay',
        position,
        box,
        message: 'The machine of today does not come to what is recorded',
      })
  }

  async verifyCheckpoints(): Promise<void> {
    const expected = this.#checkpoints
    this.#checkpoints = []
    await verifyCheckpoints(this.#still, { expected, report: this.#options.report })
  }

  /**
   * Lets go of streams that are over, once their heads are as they should be: only what lives is held. Called after each
   * page of records.
   */
  async settle(): Promise<void> {
    const { db, at } = this.#still
    const over = this.#over.splice(0)
    if (over.length === 0) return
    const found: (string | undefined)[] = await db.getMany(over.map(removedKey), at)
    for (const [n, box] of over.entries()) {
      const chain = this.#chains.get(box)
      // What is wrong is told at the end, with all others; another head among those that live too.
      if (chain === undefined || !isHeadOf(box, found[n], chain)) continue
      this.#chains.delete(box)
      this.#settled += 1
      if (!safeIdPattern.test(box)) continue
      this.#settledBoxes += 1
      this.executions.delete(box)
    }
  }

  async verifyAllHeads(): Promise<void> {
    const { db, at } = this.#still
    const seen = new Set<string>()
    let others = 0
    for (const [range, removed] of heads)
      for await (const page of entryPages(db, range, at))
        for (const [key, sealed] of page) {
          const box = suffixOf(key)
          if (!this.#chains.has(box)) {
            others += 1
            continue
          }
          if (seen.has(box)) this.#head(box, 'There are two heads: of what lives and of what is over')
          seen.add(box)
          this.#compare(box, sealed, removed)
        }
    for (const box of this.#chains.keys()) if (!seen.has(box)) this.#head(box, 'There is no head')
    // All that were settled had one each.
    if (others !== this.#settled) await this.#verifyOtherHeads()
    await this.#countAllBodies()
  }

  /** Heads of streams that are not held: each has the record that it says. */
  async #verifyOtherHeads(): Promise<void> {
    const { db, at } = this.#still
    for (const [range, removed] of heads)
      for await (const page of entryPages(db, range, at)) {
        const others = page.flatMap(([key, sealed]) => {
          const box = suffixOf(key)
          return this.#chains.has(box) ? [] : [{ box, head: decodeHead(sealed) }]
        })
        const found: (string | undefined)[] = await db.getMany(
          others.map(({ box, head }) => bodyKey(box, head?.version ?? 0, head?.position ?? 0)),
          at,
        )
        for (const [n, { box, head }] of others.entries())
          if (head?.box !== box) this.#head(box, 'The head is damaged')
          else if (found[n] === undefined) this.#head(box, 'The head has no records')
          else if (isOver(head) !== removed) this.#head(box, 'The head is kept in the wrong place')
      }
  }

  async verifyHeadOf(box: string): Promise<void> {
    const { db, at } = this.#still
    const [living, removed]: (string | undefined)[] = await db.getMany([headKey(box), removedKey(box)], at)
    if (living !== undefined) this.#compare(box, living, false)
    if (removed !== undefined) this.#compare(box, removed, true)
    if (living !== undefined && removed !== undefined)
      this.#head(box, 'There are two heads: of what lives and of what is over')
    if (living === undefined && removed === undefined && this.#chains.has(box))
      this.#head(box, 'There is no head')
    await this.#countBodiesOf(box)
  }

  #compare(box: string, sealed: string, removed: boolean): void {
    const head = decodeHead(sealed)
    const chain = this.#chains.get(box)
    if (head?.box !== box) {
      this.#head(box, 'The head is damaged')
      return
    }
    if (chain === undefined) {
      this.#head(box, 'The head has no records')
      return
    }
    const differs = differenceOf(head, chain)
    if (differs !== undefined)
      this.#head(box, `The head's ${differs} is not that of the last record`, chain.position)
    if (isOver(head) !== removed) this.#head(box, 'The head is kept in the wrong place', chain.position)
  }

  /** Each body has a frame: as many as have one were found when the frames were followed. */
  async #countAllBodies(): Promise<void> {
    const { db, at } = this.#still
    let count = 0
    for await (const page of keyPages(db, bodies, at)) count += page.length
    if (count > this.#bodies) await this.#nameBodies()
  }

  async #nameBodies(): Promise<void> {
    const { db, at } = this.#still
    let stream = ''
    let more = 0
    const tell = () => {
      if (more > 0)
        this.#options.report({ kind: 'body', box: stream, message: `${more} bodies have no frame` })
      more = 0
    }
    for await (const page of keyPages(db, bodies, at)) {
      const places = page.map(partsOfBodyKey)
      const found: (string | undefined)[] = await db.getMany(
        places.map(({ position }) => frameKey(position)),
        at,
      )
      for (const [n, { box, version }] of places.entries()) {
        if (box !== stream) tell()
        stream = box
        const frame = decodeFrame(found[n])
        if (frame?.box !== box || frame.version !== version) more += 1
      }
    }
    tell()
  }

  async #countBodiesOf(box: string): Promise<void> {
    const { db, at } = this.#still
    let count = 0
    for await (const page of keyPages(db, bodiesOf(box), at)) count += page.length
    const more = count - (this.#chains.get(box)?.version ?? 0)
    if (more > 0) this.#options.report({ kind: 'body', box, message: `${more} bodies have no frame` })
  }

  /** What a repair has declared about a box is not told anew. */
  #reportOf(box: string): Report {
    return this.#still.declared.has(box) ? () => {} : this.#options.report
  }

  #head(box: string, message: string, position?: number): void {
    this.#reportOf(box)({ kind: 'head', box, ...(position === undefined ? {} : { position }), message })
  }
}
