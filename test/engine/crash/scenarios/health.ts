import { type Scenario, small, started } from '../scenario.ts'

/** A box that is asked whether it is well, and is. */
export const health: Readonly<Record<string, Scenario>> = {
  health: {
    async run({ runtime, begin, acknowledge }) {
      begin()
      const box = await started(runtime, { ...small(), health: { command: 'ping', intervalMs: 86_400_000 } })
      await box.waitFor(info => info.health === 'healthy', { timeoutMs: 30_000 })
      await acknowledge(box)
      await box.stop({ mode: 'kill' })
    },
  },
}
