import {
  BoxError,
  type Effect,
  isCommand,
  isExecutionEvent,
  type LedgerRecord,
  type StreamEvent,
  type StreamHead,
  type Timer,
} from '../machines/index.ts'
import type { Committed, Past } from '../store/index.ts'

/** How far back a record is looked for that asked for something before this engine began, in `records`. */
const lookBack = 256

/** What a record has asked for. */
export type Asked = { readonly effect: Effect } | { readonly timer: Timer }

/**
 * Which record led to an event: the one that set the timer which fires, or that asked for the effect which tells the
 * fact. Commands have nobody but their caller, and what the world does by itself has no cause in the ledger.
 */
export class Causes {
  readonly #past: Past
  /** positions of the records that asked for what is pending, by stream and by what they asked for */
  readonly #asked = new Map<string, ReadonlyMap<string, number>>()

  constructor(past: Past) {
    this.#past = past
  }

  /** Position of the record; undefined: there is none. */
  of(head: StreamHead | undefined, event: StreamEvent): number | Promise<number | undefined> | undefined {
    const asked = head && leading(head, event)
    if (head === undefined || asked === undefined) return undefined
    return this.#asked.get(head.box)?.get(nameOf(asked)) ?? this.#search(head, asked)
  }

  /** Takes down what a durable record has asked for. */
  note({ record, head: { box, state } }: Committed): void {
    const before = this.#asked.get(box)
    const asked = new Map<string, number>()
    const now = new Set(askedBy(record))
    for (const name of namesOf(Object.values(state.effects), Object.values(state.timers))) {
      const position = now.has(name) ? record.position : before?.get(name)
      if (position !== undefined) asked.set(name, position)
    }
    if (asked.size > 0) this.#asked.set(box, asked)
    else this.#asked.delete(box)
  }

  /** Of an earlier engine. */
  async #search(head: StreamHead, asked: Asked): Promise<number | undefined> {
    return (await askerOf(this.#past, head, asked))?.position
  }
}

/**
 * The record that asked for what is pending in a stream; undefined: it is too far back, or it cannot be read, which
 * whoever reads the damaged record is told.
 */
export async function askerOf(
  past: Past,
  { box, version }: Pick<StreamHead, 'box' | 'version'>,
  asked: Asked,
): Promise<LedgerRecord | undefined> {
  const name = nameOf(asked)
  try {
    for (let at = version; at > Math.max(0, version - lookBack); at -= 1) {
      const record = await past.recordAt(box, at)
      if (record !== undefined && askedBy(record).includes(name)) return record
    }
  } catch (error) {
    if (!BoxError.is(error, 'LEDGER_CORRUPT')) throw error
  }
  return undefined
}

/** The effect or the timer that leads to an event. */
function leading({ state }: StreamHead, event: StreamEvent): Asked | undefined {
  if (!isExecutionEvent(event)) {
    if (isCommand(event)) return undefined
    if (event.type === 'timer.fired') {
      const timer = state.timers[event.timer]
      return timer && { timer }
    }
    // Looked at now and then, whatever else is under way.
    if (event.type === 'health.changed') return undefined
  }
  const effects = Object.values(state.effects).filter(({ incarnation }) => incarnation === event.incarnation)
  const [effect] = effects.sort((a, b) => Number.parseInt(b.id, 10) - Number.parseInt(a.id, 10))
  return effect && { effect }
}

function askedBy({ effects, timers }: LedgerRecord): string[] {
  return namesOf(effects, timers.set)
}

function namesOf(effects: readonly Effect[], timers: readonly Timer[]): string[] {
  return [...effects.map(effect => nameOf({ effect })), ...timers.map(timer => nameOf({ timer }))]
}

function nameOf(asked: Asked): string {
  if ('effect' in asked) return `effect ${asked.effect.id}`
  return `timer ${asked.timer.id} ${asked.timer.dueAt}`
}
