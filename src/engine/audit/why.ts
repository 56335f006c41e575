import { BoxError, type LedgerRecord } from '../../machines/index.ts'
import type { Engine } from '../engine.ts'

/**
 * The chain of causes that leads to a record, the first cause first, the record itself last: each is the record that
 * asked for the effect, or set the timer, which led to the next. Rejects with `NOT_FOUND` if there is no such record.
 */
export async function why(engine: Engine, position: number): Promise<LedgerRecord[]> {
  const chain: LedgerRecord[] = []
  let next: number | undefined = position
  while (next !== undefined) {
    const record: LedgerRecord = await recordAt(engine, next)
    chain.unshift(record)
    const { cause } = record.meta
    // It comes after what it has led to: no engine wrote this.
    if (cause !== undefined && cause >= next)
      throw new BoxError('LEDGER_CORRUPT', `Record ${next} names ${cause}, a later one, as its cause`, {
        details: { position: next },
      })
    next = cause
  }
  return chain
}

async function recordAt(engine: Engine, position: number): Promise<LedgerRecord> {
  for await (const record of engine.ledger.read({ from: position, to: position })) return record
  const { tail } = engine.ledger
  throw new BoxError('NOT_FOUND', `There is no record ${position}; the last one is ${tail.position}`, {
    details: { position, last: tail.position },
  })
}
