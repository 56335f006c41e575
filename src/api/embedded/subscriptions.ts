import type { Engine, StreamOptions } from '../../engine/index.ts'
import type { EventsOptions } from '../box.ts'
import { check, shapes } from '../options.ts'
import type { SubscriptionSource } from '../subscription.ts'
import type { Subscriptions } from '../subscriptions.ts'

/** A durable subscription of the engine's; `streamOf` finds its box. */
export function subscriptionSource(
  engine: Engine,
  name: string,
  streamOf: (o: EventsOptions) => Promise<StreamOptions>,
): SubscriptionSource {
  return {
    async *records({ consumer, options, signal }) {
      const { holds: _, ...given } = await streamOf({ ...options, signal })
      yield* engine.subscriptions.records({ ...given, name, consumer, follow: options.follow, signal })
    },
    leave: async consumer => engine.subscriptions.leave(name, consumer),
    acknowledge: (consumer, position) => engine.subscriptions.acknowledge(name, consumer, position),
  }
}

export function subscriptionsOf({ subscriptions }: Engine): Subscriptions {
  return {
    list: () => subscriptions.list(),
    remove: async name => {
      check(shapes.name, name, 'name')
      await subscriptions.remove(name)
    },
  }
}
