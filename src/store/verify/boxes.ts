import {
  isSameJson,
  publicStateOf,
  replay as replayed,
  type StreamHead,
  type StreamState,
  safeIdPattern,
} from '../../machines/index.ts'
import { isCheckpoint } from '../checkpoints.ts'
import { type Body, decodeHead, type Frame, noHash } from '../codec.ts'
import { isOver } from '../entry.ts'
import {
  bodies,
  bodiesOf,
  headKey,
  livingHeads,
  partsOfBodyKey,
  type Range,
  removedHeads,
  removedKey,
  suffixOf,
} from '../keys.ts'
import { entryPages, keyPages } from '../scan.ts'
import { type Expected, verifyCheckpoints } from './checkpoints.ts'
import type { Report, Still } from './still.ts'

interface Chain {
  version: number
  /** positions of the first and the last record */
  created: number
  position: number
  bodyHash: string
  to: string | undefined
  /** folded so far; undefined where it cannot be folded any more, or need not */
  state: StreamState | undefined
  folding: boolean
}

export interface BoxChainsOptions {
  readonly replay: boolean
  readonly report: Report
}

/** Follows every box and every execution through its records, and holds the result against its head. */
export class BoxChains {
  readonly #still: Still
  readonly #options: BoxChainsOptions
  readonly #chains = new Map<string, Chain>()
  /** passed since the last look at them */
  #checkpoints: Expected[] = []

  constructor(still: Still, options: BoxChainsOptions) {
    this.#still = still
    this.#options = options
  }

  /** how many boxes there are */
  get boxes(): number {
    let boxes = 0
    for (const stream of this.#chains.keys()) if (safeIdPattern.test(stream)) boxes += 1
    return boxes
  }

  /** of boxes and executions */
  get streams(): Iterable<string> {
    return this.#chains.keys()
  }

  /** Takes the next record of a stream; `body` is undefined where it is damaged, which is reported already. */
  follow(frame: Frame, body: Body | undefined): void {
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
    }
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
    if (chain.folding) this.#fold(chain, frame, body)
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

  async verifyAllHeads(): Promise<void> {
    const { db, at } = this.#still
    const seen = new Set<string>()
    for (const [range, removed] of [
      [livingHeads, false],
      [removedHeads, true],
    ] as const) {
      for await (const page of entryPages(db, range, at)) {
        for (const [key, sealed] of page) {
          const box = suffixOf(key)
          if (seen.has(box)) this.#head(box, 'There are two heads: of what lives and of what is over')
          seen.add(box)
          this.#compare(box, sealed, removed)
        }
      }
    }
    for (const box of this.#chains.keys()) if (!seen.has(box)) this.#head(box, 'There is no head')
    await this.#countBodies(bodies)
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
    await this.#countBodies(bodiesOf(box))
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

  /** Each body has a frame: those that have one were counted when the frames were followed. */
  async #countBodies(range: Range): Promise<void> {
    const { db, at } = this.#still
    const counts = new Map<string, number>()
    for await (const page of keyPages(db, range, at)) {
      for (const key of page) {
        const { box } = partsOfBodyKey(key)
        counts.set(box, (counts.get(box) ?? 0) + 1)
      }
    }
    for (const [box, count] of counts) {
      const more = count - (this.#chains.get(box)?.version ?? 0)
      if (more > 0) this.#options.report({ kind: 'body', box, message: `${more} bodies have no frame` })
    }
  }

  /** What a repair has declared about a box is not told anew. */
  #reportOf(box: string): Report {
    return this.#still.declared.has(box) ? () => {} : this.#options.report
  }

  #head(box: string, message: string, position?: number): void {
    this.#reportOf(box)({ kind: 'head', box, ...(position === undefined ? {} : { position }), message })
  }
}

function differenceOf(head: StreamHead, chain: Chain): string | undefined {
  if (head.version !== chain.version) return 'version'
  if (head.position !== chain.position) return 'position'
  if (head.createdPosition !== chain.created) return 'position of creation'
  if (head.bodyHash !== chain.bodyHash) return 'body hash'
  if (chain.to !== undefined && publicStateOf(head.state.value) !== chain.to) return 'state'
  if (chain.folding && !isSameJson(chain.state, head.state)) return 'state, as it is replayed,'
  return undefined
}
