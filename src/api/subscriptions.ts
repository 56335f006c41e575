import type { SubscriptionInfo } from '../engine/index.ts'
import type { LedgerRecord } from '../machines/index.ts'

export type { SubscriptionInfo }

/** What a durable subscription looks for. */
export interface SubscriptionOptions {
  /** first position, inclusive, when the name is new; later it goes on where it acknowledged. Default 1 */
  readonly from?: number
  /** ID or name */
  readonly box?: string
  readonly types?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** false: ends at the end of the ledger; default true */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/**
 * Records by position, each at least once: whoever comes back under the same name goes on behind what was acknowledged.
 * Every `for await` begins there. Iterating rejects with `INVALID_ARGUMENT`, `BUSY` while another consumer has the name,
 * `LEDGER_CORRUPT`, `INVALID_STATE` in a home that is a copy, and as `events` does.
 *
 * @example
 * await using mails = runtime.subscription('mails', { types: ['vmm.exited'] })
 * for await (const record of mails) {
 *   await send(record)
 *   await mails.ack(record.position)
 * }
 */
export interface DurableSubscription extends AsyncIterable<LedgerRecord>, AsyncDisposable {
  readonly name: string
  /**
   * All up to this position is done with; resolves when that is durable. A position that was acknowledged before changes
   * nothing; one that this consumer was not given yet is `INVALID_ARGUMENT`. Also when iterating is over.
   */
  ack(position: number): Promise<void>
  /** Ends what iterates, and frees the name. Idempotent. */
  close(): Promise<void>
  /** Of the iteration that `next` began, without a `for await`. */
  next(): Promise<IteratorResult<LedgerRecord, void>>
  /** Ends that iteration. */
  return(): Promise<IteratorResult<LedgerRecord, void>>
  [Symbol.asyncIterator](): AsyncGenerator<LedgerRecord, void, undefined>
}

/** What the home keeps of durable subscriptions. */
export interface Subscriptions {
  /** By name. */
  list(): Promise<SubscriptionInfo[]>
  /** Forgets how far it has come. Rejects with `NOT_FOUND`, or `BUSY` while it has a consumer. */
  remove(name: string): Promise<void>
}
