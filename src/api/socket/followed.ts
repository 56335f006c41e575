import { closedError, type Engine, records, type StreamOptions } from '../../engine/index.ts'
import type { LedgerRecord } from '../../machines/index.ts'

/** Records for a client. A stream that waits here does not keep the owner's process alive. */
export async function* followed(
  engine: Engine,
  o: StreamOptions,
): AsyncGenerator<LedgerRecord, void, undefined> {
  yield* records(engine, { ...o, holds: false })
  // It was the owner that ended, and not the stream: it goes on at the next one.
  if (o.follow) throw closedError()
}
