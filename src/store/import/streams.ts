import { partsOf, type RecordMeta, replay, type StreamHead } from '../../machines/index.ts'
import { isCheckpoint } from '../checkpoints.ts'
import { type Body, type Frame, noHash, seal } from '../codec.ts'
import { isOver, nameOf } from '../entry.ts'
import { checkpointKey, executionsKey, headKey, nameKey, parkedKey, removedKey } from '../keys.ts'
import type { Parked } from '../ledger.ts'
import type { NewLedger } from '../repair/new-ledger.ts'

/** What the records of an ownership tell of it. */
export type Witness = Pick<RecordMeta, 'bootId' | 'engine'> & { readonly at: string }

/** Folds each stream of an import to its head. Only those that are not over are held. */
export class Streams {
  readonly parked = new Map<string, Parked>()
  readonly epochs = new Map<number, Witness>()
  /** how many boxes there are, those that are removed among them */
  boxes = 0
  readonly #ledger: NewLedger
  readonly #heads = new Map<string, StreamHead>()
  /** how many executions boxes have had that are not removed */
  readonly #executions = new Map<string, number>()

  constructor(ledger: NewLedger) {
    this.#ledger = ledger
  }

  /** A stream that cannot be folded: it was parked when it was exported. */
  park(box: string, why: Parked): void {
    this.parked.set(box, why)
  }

  /** Takes the next record. Gives what is wrong with its place in the stream, if something is. */
  async take(
    { box, version, position, bodyHash }: Frame,
    body: Body | undefined,
  ): Promise<string | undefined> {
    const { execution } = partsOf(box)
    if (version === 1 && execution === undefined) this.boxes += 1
    if (body !== undefined) this.#witness(body)
    if (body?.event.type === 'exec.started') {
      const owner = body.event.box
      this.#executions.set(owner, (this.#executions.get(owner) ?? 0) + 1)
    }
    const why = this.parked.get(box)
    if (why !== undefined) {
      if (isLast(body)) this.#leave(box, why)
      return undefined
    }
    const before = this.#heads.get(box)
    if (version !== (before?.version ?? 0) + 1)
      return `version ${version} of ${box} does not follow version ${before?.version ?? 0}`
    if (body === undefined) return `the body of ${box} is lost, and the box is not parked`
    if (body.prevBody !== (before?.bodyHash ?? noHash))
      return `it does not link to the body of ${box} before it`
    const state = replay(before?.state, body)
    if (state === undefined) {
      this.parked.set(box, { position, reason: 'the machine of today does not come to what is recorded' })
      return undefined
    }
    const count = body.to === 'removed' ? this.#executions.get(box) : undefined
    const head = {
      ...{ box, version, position, createdPosition: before?.createdPosition ?? position },
      ...{ updatedAt: Date.parse(body.at), lastEvent: body.event.type, bodyHash },
      ...(count === undefined ? {} : { executions: count }),
      state,
    } as StreamHead
    if (isCheckpoint(version)) await this.#ledger.putSealed(checkpointKey(box, version), head)
    if (!isOver(head)) {
      this.#heads.set(box, head)
      return undefined
    }
    this.#heads.delete(box)
    if (execution === undefined) this.#executions.delete(box)
    await this.#ledger.put(removedKey(box), seal(JSON.stringify(head)))
    return undefined
  }

  /** Writes the heads of all that is not over, with their names: a parked one shows itself as it was last known. */
  async finish(): Promise<void> {
    const soundFirst = [...this.#heads.values()].sort(
      (a, b) => Number(this.parked.has(a.box)) - Number(this.parked.has(b.box)),
    )
    const names = new Set<string>()
    for (const head of soundFirst) {
      const { box } = head
      const name = nameOf(head)
      if (name !== null && names.has(name)) continue
      await this.#ledger.putSealed(headKey(box), head)
      if (name === null) continue
      names.add(name)
      await this.#ledger.putSealed(nameKey(name), { box })
    }
    for (const [box, count] of this.#executions)
      await this.#ledger.put(executionsKey(box), seal(String(count)))
    for (const [box, why] of this.parked) await this.#ledger.putSealed(parkedKey(box), why)
  }

  #leave(box: string, why: Parked): void {
    this.parked.set(box, { ...why, removed: true })
    this.#heads.delete(box)
  }

  #witness({ meta: { epoch, bootId, engine }, at }: Body): void {
    if (!this.epochs.has(epoch)) this.epochs.set(epoch, { bootId, engine, at })
  }
}

/** Nothing follows in its stream. */
function isLast(body: Body | undefined): boolean {
  return body !== undefined && ['removed', 'ended', 'lost'].includes(body.to)
}
