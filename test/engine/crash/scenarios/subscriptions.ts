import { type Scenario, small, started } from '../scenario.ts'

/** Readers whose progress is kept. */
export const subscriptions: Readonly<Record<string, Scenario>> = {
  'a subscription that is read, and removed': {
    async run({ runtime, begin, acknowledge }) {
      begin()
      const box = await started(runtime, small())
      await acknowledge(box)
      const reader = runtime.subscription('reader', { follow: false })
      for await (const { position } of reader) await reader.ack(position)
      await runtime.subscriptions.remove('reader')
    },
  },
}
