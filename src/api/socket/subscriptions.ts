import type { SubscriptionInfo } from '../../engine/index.ts'
import type { LedgerRecord } from '../../machines/index.ts'
import { check, shapes } from '../options.ts'
import { Subscription, type SubscriptionSource } from '../subscription.ts'
import type { SubscriptionOptions, Subscriptions } from '../subscriptions.ts'
import type { OwnerClient } from './client.ts'

/** How long who leaves waits for the owner to hear of it, in `ms`: it also hears of connections that end. */
const leaveMs = 1_000

/** Durable subscriptions through the owner's socket. A consumer is the same one at the next owner. */
export class RemoteSubscriptions implements Subscriptions {
  readonly #client: OwnerClient
  readonly #call: <T>(verb: string, args: readonly unknown[], signal?: AbortSignal) => Promise<T>
  /** those that iterate */
  readonly #live = new Set<Subscription>()

  constructor(
    client: OwnerClient,
    call: <T>(verb: string, args: readonly unknown[], signal?: AbortSignal) => Promise<T>,
  ) {
    this.#client = client
    this.#call = call
  }

  list(): Promise<SubscriptionInfo[]> {
    return this.#call('listSubscriptions', [])
  }

  async remove(name: string): Promise<void> {
    check(shapes.name, name, 'name')
    await this.#call('removeSubscription', [name])
  }

  begin(name: string, o: SubscriptionOptions): Subscription {
    const client = this.#client
    const live = this.#live
    const source: SubscriptionSource = {
      async *records({ consumer, options, signal }) {
        live.add(subscription)
        try {
          const { follow = true } = options
          let after: number | null = null
          const records = client.stream<LedgerRecord>(
            '/stream/subscription',
            () => [name, consumer, after, { ...options, follow }],
            { signal, follow },
          )
          for await (const record of records) {
            after = record.position
            yield record
          }
        } finally {
          live.delete(subscription)
        }
      },
      acknowledge: (consumer, position) => this.#call('acknowledge', [name, consumer, position]),
      leave: async consumer => {
        if (client.isClosed) return
        await this.#call('leaveSubscription', [name, consumer], AbortSignal.timeout(leaveMs)).catch(() => {
          // There is no owner, or it is slow: it frees the name when it sees that the connection has ended.
        })
      },
    }
    const subscription: Subscription = new Subscription(name, o, source)
    return subscription
  }

  /** Ends what iterates, and lets the owner know. */
  async close(): Promise<void> {
    await Promise.all([...this.#live].map(subscription => subscription.close()))
  }
}
