import { BoxError, type LedgerRecord } from '../machines/index.ts'
import type { Engine } from './engine.ts'
import { closedError } from './tail.ts'
import { assertWanted } from './waiting.ts'

export interface StreamOptions {
  /** first position, inclusive; default 1 */
  readonly from?: number
  /** one box only, by ID */
  readonly box?: string
  readonly types?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** go on with what comes, until `signal` or the end of the runtime */
  readonly follow?: boolean
  readonly signal?: AbortSignal
  /** false: who waits for more keeps no process alive; default true, since who follows a ledger means to stay */
  readonly holds?: boolean
}

/**
 * Records by position, then live ones, without gap or duplicate: whoever follows always reads the ledger up to its
 * tail, and waits for the tail to move. So a slow reader costs nothing but its own time.
 */
export async function* records(
  engine: Engine,
  o: StreamOptions,
): AsyncGenerator<LedgerRecord, void, undefined> {
  const { signal, holds = true } = o
  assertWanted(signal)
  if (engine.isClosed) throw closedError()
  const labelled = o.labels === undefined ? undefined : new Labelled(engine, o.labels)
  let next = o.from ?? 1
  for (;;) {
    assertWanted(signal)
    if (engine.tail.isClosed) {
      if (o.follow) return
      throw closedError()
    }
    const end = engine.tail.position
    try {
      for await (const record of next > end ? [] : recordsFrom(engine, next, o.box)) {
        next = record.position + 1
        if (matches(record, o) && (labelled === undefined || (await labelled.has(record)))) yield record
        assertWanted(signal)
      }
    } catch (error) {
      // The ledger was closed under it, which ends what is followed, and cuts off what is read.
      if (!engine.tail.isClosed || !BoxError.is(error, 'ENGINE_CLOSED')) throw error
      continue
    }
    // Of one box only its own records were read: damage of another's is no end of them.
    next = Math.max(next, end + 1)
    if (o.follow) await engine.tail.reached(next, { ...(signal && { signal }), holds })
    else if (next > engine.tail.position) return
  }
}

function recordsFrom(engine: Engine, from: number, box: string | undefined) {
  return engine.tail.at(from) ?? engine.ledger.read({ from, ...(box && { box }) })
}

function matches(record: LedgerRecord, { box, types }: StreamOptions): boolean {
  return (
    (box === undefined || record.box === box) && (types === undefined || types.includes(record.event.type))
  )
}

/** Which boxes have labels that are looked for; a box has those that it was made with, also when it is removed. */
class Labelled {
  readonly #engine: Engine
  readonly #wanted: readonly (readonly [string, string])[]
  readonly #boxes = new Map<string, boolean>()

  constructor(engine: Engine, wanted: Readonly<Record<string, string>>) {
    this.#engine = engine
    this.#wanted = Object.entries(wanted)
  }

  async has({ box, event, to }: LedgerRecord): Promise<boolean> {
    const has = this.#boxes.get(box) ?? this.#test(await this.#labelsOf(box, event))
    // Nothing comes after it.
    if (to === 'removed') this.#boxes.delete(box)
    else this.#boxes.set(box, has)
    return has
  }

  async #labelsOf(box: string, event: LedgerRecord['event']): Promise<Readonly<Record<string, string>>> {
    if (event.type === 'box.created') return event.labels
    const { ledger } = this.#engine
    return (ledger.head(box) ?? (await ledger.removedHead(box)))?.state.context.labels ?? {}
  }

  #test(labels: Readonly<Record<string, string>>): boolean {
    return this.#wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
  }
}
