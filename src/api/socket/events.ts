import type { LedgerRecord } from '../../machines/index.ts'
import type { OwnerClient, StreamWait } from './client.ts'

/** Records of a stream, each once, at however many owners. */
export async function* eventsOf(
  client: OwnerClient,
  path: string,
  options: Readonly<Record<string, unknown>>,
  wait: StreamWait,
): AsyncGenerator<LedgerRecord, void, undefined> {
  let seen: { from?: number } = {}
  const records = client.stream<LedgerRecord>(path, () => [{ ...options, ...seen }], {
    ...wait,
    follow: options.follow === true,
  })
  for await (const record of records) {
    seen = { from: record.position + 1 }
    yield record
  }
}
