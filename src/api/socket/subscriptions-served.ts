import { closedError } from '../../engine/index.ts'
import type { EventsOptions } from '../box.ts'
import { check, shapes } from '../options.ts'
import type { Call } from './calls.ts'
import type { Stream } from './streams.ts'
import { until } from './until.ts'

/** Who asks: the name of the subscription, and by what its consumer is known again. */
function asked([name, consumer]: readonly unknown[]): readonly [name: string, consumer: string] {
  return [check(shapes.name, name, 'name'), check(shapes.consumer, consumer, 'consumer')]
}

/** Records for a client, who has the name as long as the connection lasts, or until it leaves. */
export const subscriptionLines: Stream = async function* ({ engine, runtime }, args, signal) {
  const [name, consumer] = asked(args)
  const [, , after, given] = args
  const o = check(shapes.subscription, until(given, signal), 'options') as EventsOptions
  yield* engine.subscriptions.records({
    ...(await runtime.streamOf(o)),
    ...{ name, consumer, signal, holds: false, follow: o.follow },
    ...(after === null ? {} : { after: check(shapes.position, after, 'after') }),
  })
  // It was the owner that ended, and not the stream: it goes on at the next one.
  if (o.follow) throw closedError()
}

export const subscriptionCalls: Readonly<Record<string, Call>> = {
  acknowledge: async ({ engine }, args) => {
    const [name, consumer] = asked(args)
    await engine.subscriptions.acknowledge(name, consumer, check(shapes.position, args[2], 'position'))
    return {}
  },
  leaveSubscription: async ({ engine }, args) => {
    engine.subscriptions.leave(...asked(args))
    return {}
  },
  listSubscriptions: async ({ runtime }) => ({ value: await runtime.subscriptions.list() }),
  removeSubscription: async ({ runtime }, [name]) => {
    await runtime.subscriptions.remove(name as never)
    return {}
  },
}
