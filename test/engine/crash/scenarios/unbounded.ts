import { type Scenario, settled, small } from '../scenario.ts'

/** Goes on until somebody ends it. */
export const busy: Scenario = {
  async run({ runtime, begin, acknowledge, acknowledgeRemoval }) {
    begin()
    for (let n = 0; ; n += 1) {
      const { box } = await runtime.getOrCreate({ ...small(), name: `box-${n % 3}` })
      await acknowledge(box)
      await box.start()
      await acknowledge(box)
      if (n % 2 === 0) await box.pause()
      if (n % 4 === 0) await box.resume()
      await acknowledge(box)
      await box.stop({ mode: (['graceful', 'force', 'kill'] as const)[n % 3] as 'graceful' })
      await acknowledge(box)
      if (n % 3 === 2) {
        await box.remove()
        acknowledgeRemoval(box.id)
      }
    }
  },
}

/** Takes up whatever an earlier owner has left. */
export const reopen: Scenario = {
  fromOpening: true,
  async run({ runtime }) {
    for (const { id } of await runtime.listInfo()) {
      const box = await runtime.get(id)
      if (box !== undefined) await settled(box)
    }
  },
}
