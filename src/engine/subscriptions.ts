import { isDeepStrictEqual } from 'node:util'
import { BoxError, type LedgerRecord } from '../machines/index.ts'
import type { Acknowledgement, Filter, Stored } from '../store/index.ts'
import type { Engine } from './engine.ts'
import { records } from './stream.ts'
import { closedError, inertError } from './tail.ts'
import { assertWanted } from './waiting.ts'

/** Most names of subscriptions in one home. */
const most = 10_000

/** A durable subscription, as the home keeps it. */
export interface SubscriptionInfo extends Filter {
  readonly name: string
  /** last position that was acknowledged, 0: none; absent: it is damaged, and cannot be read */
  readonly acknowledged?: number
  /** position that it began at */
  readonly from?: number
  /** positions behind that, whether it looks for them or not; absent: it is damaged */
  readonly behind?: number
  /** somebody reads it just now */
  readonly active: boolean
}

/** What one consumer of a subscription asks for. */
export interface Consumption extends Filter {
  readonly name: string
  /** tells one consumer from another; the same one may come again after its connection was cut */
  readonly consumer: string
  /** first position of a subscription that is new, default 1 */
  readonly from?: number | undefined
  /** last position that this consumer has been given before, by an earlier owner or over an earlier connection */
  readonly after?: number | undefined
  /** default true */
  readonly follow?: boolean | undefined
  readonly signal: AbortSignal
  readonly holds?: boolean
}

interface Hold {
  readonly consumer: string
  /** last position that it was given */
  delivered: number
  /** another connection of the same consumer has taken its place */
  readonly replaced: AbortController
}

/** Readers by name, of which the home knows how far they have come. Each name has one consumer at a time. */
export class Subscriptions {
  readonly #engine: Engine
  readonly #holds = new Map<string, Hold>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * Records from behind what was acknowledged. Rejects with `BUSY` while another consumer has the name, `INVALID_ARGUMENT`
   * if the name was begun with another filter, `LEDGER_CORRUPT` if what is kept of it is damaged.
   */
  async *records(given: Consumption): AsyncGenerator<LedgerRecord, void, undefined> {
    const { name, signal, holds = true, follow = true } = given
    assertWanted(signal)
    this.#assertOpen()
    const hold = this.#take(given)
    const free = () => {
      if (this.#holds.get(name) === hold) this.#holds.delete(name)
    }
    signal.addEventListener('abort', free)
    try {
      const { acknowledged, from, filter } = await this.#begin(given)
      hold.delivered = Math.max(acknowledged, given.after ?? 0)
      const until = AbortSignal.any([signal, hold.replaced.signal])
      const next = Math.max(from, hold.delivered + 1)
      for await (const record of records(this.#engine, {
        ...filter,
        ...{ from: next, follow, holds, signal: until },
      })) {
        hold.delivered = record.position
        yield record
      }
    } finally {
      signal.removeEventListener('abort', free)
      free()
    }
  }

  /** Resolves when it is durable that this consumer is done with all records up to this one. It only goes up. */
  async acknowledge(name: string, consumer: string, position: number): Promise<void> {
    this.#assertOpen()
    const { acknowledgements, tail } = this.#engine.ledger
    await acknowledgements.change(name, now => {
      const entry = known(name, now)
      const hold = this.#holds.get(name)
      if (hold !== undefined && hold.consumer !== consumer) throw busy(name)
      if (position > (hold?.delivered ?? tail.position)) throw notDelivered(position)
      return position > entry.acknowledged ? { ...entry, acknowledged: position } : entry
    })
  }

  /** Ends what a consumer had begun, as its end by itself does: the name is free. */
  leave(name: string, consumer: string): void {
    const hold = this.#holds.get(name)
    if (hold?.consumer !== consumer) return
    this.#holds.delete(name)
    hold.replaced.abort()
  }

  /** By name. */
  async list(): Promise<SubscriptionInfo[]> {
    if (this.#engine.isClosed) throw closedError()
    const { acknowledgements, tail } = this.#engine.ledger
    const all = await acknowledgements.all()
    const end = tail.position
    return [...all]
      .map(([name, stored]) => ({ name, ...shown(stored, end), active: this.#holds.has(name) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Forgets how far it has come. Rejects with `NOT_FOUND`, or with `BUSY` while it has a consumer. */
  async remove(name: string): Promise<void> {
    this.#assertOpen()
    await this.#engine.ledger.acknowledgements.change(name, now => {
      if (now === undefined) throw notFound(name)
      if (this.#holds.has(name)) throw busy(name)
      return undefined
    })
  }

  #assertOpen(): void {
    if (this.#engine.isClosed) throw closedError()
    // What its original has delivered a copy would deliver once more.
    if (this.#engine.isInert) throw inertError(this.#engine.home)
  }

  #take({ name, consumer, after = 0 }: Consumption): Hold {
    const before = this.#holds.get(name)
    if (before !== undefined && before.consumer !== consumer) throw busy(name)
    before?.replaced.abort()
    const hold: Hold = { consumer, delivered: after, replaced: new AbortController() }
    this.#holds.set(name, hold)
    return hold
  }

  /** What is kept of it; of a new one, from now on. */
  async #begin({ name, from = 1, after, box, types, labels }: Consumption): Promise<Acknowledgement> {
    const { acknowledgements, tail } = this.#engine.ledger
    const filter = normal({ box, types, labels })
    let begun: Acknowledgement | undefined
    await acknowledgements.change(name, (now, all) => {
      if (now !== undefined) {
        begun = known(name, now)
        const differs = difference(begun.filter, filter)
        if (differs !== undefined) throw otherFilter(name, differs, begun)
      } else {
        if (all.size >= most) throw tooMany()
        begun = { acknowledged: 0, from, filter }
      }
      const seen = Math.max(begun.acknowledged, after ?? 0)
      if (seen > tail.position) throw beyond(name, seen, tail.position)
      return begun
    })
    return begun as unknown as Acknowledgement
  }
}

/** The same filter is the same, in whatever order it is given. */
function normal({ box, types, labels }: { [Key in keyof Filter]: Filter[Key] | undefined }): Filter {
  return {
    ...(box === undefined ? {} : { box }),
    ...(types === undefined ? {} : { types: [...new Set(types)].sort() }),
    ...(labels === undefined ? {} : { labels: Object.fromEntries(Object.entries(labels).sort()) }),
  }
}

function difference(a: Filter, b: Filter): keyof Filter | undefined {
  return (['box', 'types', 'labels'] as const).find(field => !isDeepStrictEqual(a[field], b[field]))
}

function shown(stored: Stored, end: number): Omit<SubscriptionInfo, 'name' | 'active'> {
  if (stored === 'damaged') return {}
  const { acknowledged, from, filter } = stored
  const behind = Math.max(0, end - Math.max(acknowledged, from - 1))
  return { acknowledged, from, behind, ...filter }
}

function known(name: string, stored: Stored | undefined): Acknowledgement {
  if (stored === undefined) throw notFound(name)
  if (stored !== 'damaged') return stored
  throw new BoxError(
    'LEDGER_CORRUPT',
    `How far the subscription ${name} has come cannot be read. Remove it (boxledger subscriptions rm), and begin it where you know`,
    { details: { subscription: name } },
  )
}

export function busy(name: string): BoxError {
  return new BoxError('BUSY', `The subscription ${name} has a consumer`, { details: { subscription: name } })
}

function notFound(name: string): BoxError {
  return new BoxError('NOT_FOUND', `There is no subscription ${name}`, { details: { subscription: name } })
}

export function notDelivered(position: number): BoxError {
  return new BoxError('INVALID_ARGUMENT', `position ${position} was not delivered to this consumer`, {
    details: { field: 'position' },
  })
}

function otherFilter(name: string, field: keyof Filter, { acknowledged, filter }: Acknowledgement): BoxError {
  return new BoxError(
    'INVALID_ARGUMENT',
    `${field} differs from what the subscription ${name} was begun with: what it has passed over would be lost. Take another name, or remove it and begin it anew`,
    { details: { field, subscription: name, acknowledged, filter } },
  )
}

function beyond(name: string, seen: number, end: number): BoxError {
  return new BoxError(
    'LEDGER_CORRUPT',
    `The subscription ${name} has come to ${seen}, and the ledger ends at ${end}: records are lost. Remove it, and begin it where you know`,
    { details: { subscription: name, acknowledged: seen, position: end } },
  )
}

function tooMany(): BoxError {
  return new BoxError('INVALID_STATE', `The home has ${most} subscriptions; remove some`, {
    details: { most },
  })
}
