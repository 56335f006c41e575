import type { EventType, LedgerRecord } from '../machines/index.ts'
import type { Engine } from './engine.ts'
import { closedError } from './tail.ts'

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
}

/**
 * Records by position, then live ones, without gap or duplicate: whoever follows always reads the ledger up to its
 * tail, and waits for the tail to move. So a slow reader costs nothing but its own time.
 */
export async function* records(
  engine: Engine,
  o: StreamOptions,
): AsyncGenerator<LedgerRecord, void, undefined> {
  let next = o.from ?? 1
  for (;;) {
    if (engine.tail.isClosed) {
      if (o.follow) return
      throw closedError()
    }
    const end = engine.tail.position
    const batch = engine.tail.at(next) ?? engine.ledger.read({ from: next, ...(o.box && { box: o.box }) })
    for await (const record of batch) {
      o.signal?.throwIfAborted()
      next = record.position + 1
      if (matches(engine, record, o)) yield record
    }
    // Of one box only its own records were read: damage of another's is no end of them.
    next = Math.max(next, end + 1)
    if (o.follow) await engine.tail.reached(next, o.signal)
    else if (next > engine.tail.position) return
  }
}

function matches(engine: Engine, record: LedgerRecord, o: StreamOptions): boolean {
  if (o.box !== undefined && record.box !== o.box) return false
  if (o.types !== undefined && !o.types.includes(record.event.type as EventType)) return false
  if (o.labels === undefined) return true
  const labels = engine.ledger.head(record.box)?.state.context.labels ?? {}
  return Object.entries(o.labels).every(([key, value]) => labels[key] === value)
}
