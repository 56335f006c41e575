import { type Engine, records, type StreamOptions } from '../../engine/index.ts'
import type { LedgerRecord } from '../../machines/index.ts'
import { Bell } from './bell.ts'

/** Records for a client. Unlike the engine's own, a stream that waits here does not keep the owner's process alive. */
export async function* followed(
  engine: Engine,
  { follow = false, ...o }: StreamOptions,
  signal: AbortSignal,
): AsyncGenerator<LedgerRecord, void, undefined> {
  using bell = new Bell(engine, signal, o.box)
  let next = o.from ?? 1
  while (!signal.aborted) {
    const end = engine.tail.position
    for await (const record of records(engine, { ...o, from: next, signal })) {
      next = record.position + 1
      yield record
    }
    if (!follow) return
    next = Math.max(next, end + 1)
    await bell.heard()
  }
}
