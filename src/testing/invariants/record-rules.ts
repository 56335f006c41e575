import type { LedgerRecord } from '../../machines/index.ts'
import type { InvariantName } from './violation.ts'

interface Seen {
  version: number
  incarnation: number
  name: string | null
  removed: boolean
  /** a stop was accepted, and no start since */
  stopped: boolean
  /** version of the last accepted start or restart */
  asked: number
  /** last place in the incarnation's events */
  offset: number
}

export type OnBroken = (invariant: InvariantName, box: string, message: string) => void

/** Follows all records in their order, knowing of the machine only what its public names promise. */
export class RecordRules {
  readonly #onBroken: OnBroken
  readonly #boxes = new Map<string, Seen>()
  readonly #names = new Map<string, string>()
  readonly #commands = new Map<string, number>()
  #position = 0

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken
  }

  see(record: LedgerRecord): void {
    const { box, position, version, event } = record
    if (position !== this.#position + 1)
      this.#onBroken('order', box, `position ${position} follows ${this.#position}`)
    this.#position = position
    const seen = this.#boxes.get(box) ?? fresh()
    this.#boxes.set(box, seen)
    if (version !== seen.version + 1)
      this.#onBroken('order', box, `version ${version} follows ${seen.version}`)
    if (seen.removed) this.#onBroken('order', box, `${event.type} is recorded after its removal`)
    if (version > 1 && event.type === 'box.created') this.#onBroken('names', box, 'its ID is used again')
    this.#seeIncarnation(record, seen)
    this.#seeName(record, seen)
    this.#seeOffset(record, seen)
    this.#seeCommand(record)
    if (record.to === 'unknown')
      for (const { type } of record.effects)
        if (type !== 'lookAtVmm') this.#onBroken('intent-first', box, `${type} is asked for out of unknown`)
    seen.version = version
    seen.removed = record.to === 'removed'
  }

  /** Version of a box's last accepted start or restart; 0: there was none. */
  askedFor(box: string): number {
    return this.#boxes.get(box)?.asked ?? 0
  }

  #seeIncarnation({ box, version, event, from, to }: LedgerRecord, seen: Seen): void {
    if (event.type === 'stop.requested') seen.stopped = true
    if (event.type === 'start.requested' || event.type === 'restart.requested') {
      seen.stopped = false
      seen.asked = version
    }
    const begins = to === 'starting' && (from !== 'starting' || event.incarnation > seen.incarnation)
    if (begins && seen.stopped) this.#onBroken('stop-wins', box, `${event.type} starts it after a stop`)
    // A fact about a VMM that is over may come late.
    if (event.incarnation > seen.incarnation + 1)
      this.#onBroken('order', box, `incarnation ${event.incarnation} follows ${seen.incarnation}`)
    if (event.incarnation > seen.incarnation) seen.offset = 0
    seen.incarnation = Math.max(seen.incarnation, event.incarnation)
  }

  #seeName({ box, event, to }: LedgerRecord, seen: Seen): void {
    const named = event.type === 'box.created' || event.type === 'box.renamed'
    const name = to === 'removed' ? null : named ? event.name : seen.name
    if (name === seen.name) return
    if (seen.name !== null) this.#names.delete(seen.name)
    if (name !== null) {
      const owner = this.#names.get(name)
      if (owner !== undefined)
        this.#onBroken('names', box, `the name ${name} is that of box ${owner} already`)
      this.#names.set(name, box)
    }
    seen.name = name
  }

  #seeOffset({ box, event }: LedgerRecord, seen: Seen): void {
    if (!('offset' in event) || event.offset === undefined || event.incarnation < seen.incarnation) return
    if (event.offset <= seen.offset) this.#onBroken('said-once', box, `${event.type} is recorded again`)
    seen.offset = event.offset
  }

  #seeCommand({ box, position, meta: { commandId } }: LedgerRecord): void {
    if (commandId === undefined) return
    const before = this.#commands.get(commandId)
    if (before !== undefined)
      this.#onBroken('command-once', box, `command ${commandId} is at ${before} and at ${position}`)
    this.#commands.set(commandId, position)
  }
}

function fresh(): Seen {
  return { version: 0, incarnation: 0, name: null, removed: false, stopped: false, asked: 0, offset: 0 }
}
