import { partsOf, replay, type StreamHead, type StreamState } from '../../machines/index.ts'
import { type Body, type Frame, noHash } from '../codec.ts'
import type { Parked } from '../ledger.ts'
import type { Loss } from '../losses.ts'

/** One box, as its records tell. */
export interface History {
  /** of the last record */
  version: number
  /** highest version that anything tells of */
  known: number
  /** how many records are there */
  records: number
  /** positions of lost records behind the last that is there */
  readonly beyond: Set<number>
  position: number
  created: number
  /** what the next body has to link to */
  bodyHash: string
  updatedAt: number
  lastEvent: string
  /** public state after the last record that was read */
  to: string
  /** folded so far; undefined: it cannot be */
  state: StreamState | undefined
  parked: Parked | undefined
  /** its head is written already */
  isSettled: boolean
}

/** Follows each box through its records, and folds it, until one of its records is bad. */
export class BoxHistories {
  readonly all = new Map<string, History>()
  /** how many executions boxes have had, as far as records tell */
  readonly executions = new Map<string, number>()
  readonly #losses: readonly Loss[]

  /** `losses`: positions without a record, in order. */
  constructor(losses: readonly Loss[]) {
    this.#losses = losses
  }

  /** Takes the next record of a box, by position; `body` is undefined where it is lost. Gives its history. */
  follow({ box, version, position, bodyHash }: Frame, body: Body | undefined): History {
    let history = this.all.get(box)
    if (history === undefined) {
      history = begin(position)
      this.all.set(box, history)
      const { box: owner, execution } = partsOf(box)
      if (execution !== undefined) this.executions.set(owner, (this.executions.get(owner) ?? 0) + 1)
    }
    if (version !== history.version + 1)
      this.park(box, this.#lostBetween(history.position, position), `version ${history.version + 1} is lost`)
    else if (body === undefined) this.park(box, position, 'the body is lost')
    else if (body.prevBody !== history.bodyHash)
      this.park(box, position, 'the record does not link to the one before it')
    history.state = body && history.parked === undefined ? foldNext(history, body) : undefined
    history.version = version
    history.known = version
    history.position = position
    history.bodyHash = bodyHash
    if (body) {
      history.records += 1
      history.updatedAt = Date.parse(body.at)
      history.lastEvent = body.event.type
      history.to = body.to
    }
    return history
  }

  /** The first position that has no record between two that have; the second if there is none. */
  #lostBetween(before: number, after: number): number {
    const loss = this.#losses.find(({ from, to, what }) => what === 'record' && to > before && from < after)
    return loss === undefined ? after : Math.max(loss.from, before + 1)
  }

  /** Something tells of a record that is not there, and comes after all that are; its version may not be known. */
  miss(
    box: string,
    position: number,
    version: number | undefined,
    reason = `version ${version} is lost`,
  ): void {
    this.park(box, position, reason)
    const history = this.all.get(box)
    if (history === undefined) return
    history.beyond.add(position)
    history.known = Math.max(history.known, version ?? 0, history.version + history.beyond.size)
  }

  /** How many records are lost of which it is known whose they were, at least. */
  get missed(): number {
    let missed = 0
    for (const { known, records } of this.all.values()) missed += known - records
    return missed
  }

  /** The first reason stays. */
  park(box: string, position: number, reason: string): void {
    let history = this.all.get(box)
    if (history === undefined) {
      history = begin(0)
      this.all.set(box, history)
    }
    history.parked ??= { ...(position > 0 ? { position } : {}), reason }
    history.state = undefined
  }
}

function begin(created: number): History {
  return {
    ...{
      version: 0,
      known: 0,
      records: 0,
      beyond: new Set<number>(),
      position: 0,
      created,
      bodyHash: noHash,
    },
    ...{ updatedAt: 0, lastEvent: '', to: '', state: undefined, parked: undefined, isSettled: false },
  }
}

/** Undefined too once a record before could not be folded. */
function foldNext(history: History, body: Body): StreamState | undefined {
  return history.version === 0 || history.state !== undefined ? replay(history.state, body) : undefined
}

/** The head that a history leads to, if it could be folded. */
export function headOf(box: string, history: History, executions = 0): StreamHead | undefined {
  const { version, position, created, updatedAt, lastEvent, bodyHash, state } = history
  if (state === undefined) return undefined
  const head = { box, version, position, createdPosition: created, updatedAt, lastEvent, bodyHash }
  const count = history.to === 'removed' && executions > 0 ? { executions } : {}
  return { ...head, ...count, state } as StreamHead
}
