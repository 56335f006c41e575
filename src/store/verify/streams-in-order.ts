import { partsOf, replay as replayed, safeIdPattern } from '../../machines/index.ts'
import { isCheckpoint } from '../checkpoints.ts'
import { noHash, sha256 } from '../codec.ts'
import { bodyPrefix, headKey, partsOfBodyKey, placeOfBodyKey, removedKey } from '../keys.ts'
import { noteSegment, type ReadBody } from './chain.ts'
import { type Expected, verifyCheckpoints } from './checkpoints.ts'
import { type Commanded, checkCommands } from './commands.ts'
import { EpochSpans } from './epoch-spans.ts'
import { type Chain, isHeadOf, isLivingHeadOf, isOverIn } from './head.ts'
import type { Report, Still } from './still.ts'
import type { Tally } from './tally.ts'

/** What is looked up is looked up together, so many at a time. */
const lookUps = 2_048

interface Stream extends Chain {
  readonly name: string
  /** what the keys of its bodies begin with */
  readonly prefix: string
}

export interface StreamsInOrderOptions {
  readonly readBody: ReadBody
  readonly replay: boolean
  /** takes all bodies, by their keys */
  readonly tally: Tally
  /** told of what is found wrong by looking it up */
  readonly report: Report
}

/** Follows bodies in the order of their keys: one stream after the other, each from its first record to its last. */
export class StreamsInOrder {
  readonly epochs = new EpochSpans()
  /** how many executions there are of boxes that are not removed */
  readonly executions = new Map<string, number>()
  /** how many streams there are, and how many of them are boxes */
  count = 0
  boxes = 0
  readonly #still: Still
  readonly #options: StreamsInOrderOptions
  #stream: Stream | undefined
  #ended: Stream[] = []
  #checkpoints: Expected[] = []
  #commands: Commanded[] = []

  constructor(still: Still, options: StreamsInOrderOptions) {
    this.#still = still
    this.#options = options
  }

  /** `text` is what `stored` leads to. False: it is not what has to come next. */
  follow(key: string, stored: string, text: string | undefined): boolean {
    const stream = this.#stream && key.startsWith(this.#stream.prefix) ? this.#stream : this.#begin(key)
    const { version, position } = placeOfBodyKey(key, stream.prefix)
    const { name: box } = stream
    if (version === 1) stream.created = position
    const isNext = version === stream.version + 1 && position > stream.position
    if (!isNext || text === undefined) return false
    const { readBody, tally } = this.#options
    const body = readBody(text, { box, version })
    if (body?.box !== box || body.prevBody !== stream.bodyHash) return false
    if ('event' in body && body.version !== version) return false
    const bodyHash = sha256(text)
    tally.add(key, bodyHash)
    noteSegment(this.#still, stored)
    stream.version = version
    stream.position = position
    stream.bodyHash = bodyHash
    stream.to = body.to
    if (stream.folding) {
      stream.state = 'event' in body ? replayed(stream.state, body) : undefined
      if (stream.state === undefined) return false
    }
    const { commandId } = body.meta
    if (commandId !== undefined) this.#commands.push({ position, box, commandId })
    if (isCheckpoint(version))
      this.#checkpoints.push({ box, version, position, bodyHash, state: stream.state })
    return this.epochs.add(body, position)
  }

  #begin(key: string): Stream {
    if (this.#stream !== undefined) this.#ended.push(this.#stream)
    const { box: name } = partsOfBodyKey(key)
    const stream: Stream = {
      name,
      prefix: bodyPrefix(name),
      version: 0,
      created: 0,
      position: 0,
      bodyHash: noHash,
      to: undefined,
      state: undefined,
      folding: this.#options.replay,
    }
    this.#stream = stream
    this.count += 1
    if (safeIdPattern.test(name)) this.boxes += 1
    const { box, execution } = partsOf(name)
    if (execution !== undefined) this.executions.set(box, (this.executions.get(box) ?? 0) + 1)
    return stream
  }

  /** Looks up what belongs to records. Called after each page of them. */
  async settle(): Promise<void> {
    if (this.#ended.length + this.#checkpoints.length + this.#commands.length >= lookUps) await this.#lookUp()
  }

  /** Nothing comes any more. */
  async end(): Promise<void> {
    if (this.#stream !== undefined) this.#ended.push(this.#stream)
    this.#stream = undefined
    await this.#lookUp()
  }

  async #lookUp(): Promise<void> {
    const [expected, commands, ended] = [this.#checkpoints, this.#commands, this.#ended]
    this.#checkpoints = []
    this.#commands = []
    this.#ended = []
    const { report } = this.#options
    await Promise.all([
      verifyCheckpoints(this.#still, { expected, report }),
      checkCommands(this.#still, commands, report),
      this.#verifyHeads(ended),
    ])
  }

  async #verifyHeads(ended: readonly Stream[]): Promise<void> {
    const { db, at } = this.#still
    const found: (string | undefined)[] = await db.getMany(
      ended.map(stream => (isOverIn(stream.to) ? removedKey(stream.name) : headKey(stream.name))),
      at,
    )
    for (const [n, stream] of ended.entries()) {
      const { name, to } = stream
      const isRight = isOverIn(to) ? isHeadOf(name, found[n], stream) : isLivingHeadOf(name, found[n], stream)
      if (!isRight)
        this.#options.report({ kind: 'head', box: name, message: 'The head is not that of the last record' })
      if (isOverIn(to)) this.executions.delete(name)
    }
  }
}
