import { writeSync } from 'node:fs'
import { BoxRuntime } from 'boxledger'
import { instantVmm, smallGuest } from '../../support/instant.ts'

/**
 * An engine that dies on order. `child.js HOME SCENARIO AT`: at the AT-th boundary of the scenario it kills itself
 * (0: never). Says on its standard output which boundaries it has passed, and which records it was told are durable.
 */
const [home, scenario, at] = process.argv.slice(2) as [string, string, string]
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)
const image = smallGuest('idle')

let counting = false
let passed = 0
const runtime = await BoxRuntime.open({
  home,
  vmm: { binary: instantVmm },
  seams: {
    boundary: name => {
      if (!counting) return
      passed += 1
      say({ boundary: name })
      if (passed === Number(at)) process.kill(process.pid, 'SIGKILL')
    },
  },
})
const acknowledge = async (id: string) => {
  const info = await (await runtime.get(id))?.info()
  if (info !== undefined) say({ durable: info.id, version: info.version })
}

const scenarios: Record<string, () => Promise<void>> = {
  async start() {
    counting = true
    const box = await runtime.create({ name: 'it', image })
    await acknowledge(box.id)
    await box.start()
    await acknowledge(box.id)
    counting = false
  },
  async stop() {
    const box = await runtime.create({ name: 'it', image })
    await box.start()
    await acknowledge(box.id)
    counting = true
    await box.stop()
    await acknowledge(box.id)
    counting = false
  },
  /** Goes on until somebody ends it. */
  async busy() {
    for (let n = 0; ; n += 1) {
      const { box } = await runtime.getOrCreate({ name: `box-${n % 3}`, image })
      await acknowledge(box.id)
      await box.start()
      await acknowledge(box.id)
      if (n % 2 === 0) await box.pause()
      if (n % 4 === 0) await box.resume()
      await acknowledge(box.id)
      await box.stop({ mode: (['graceful', 'force', 'kill'] as const)[n % 3] as 'graceful' })
      await acknowledge(box.id)
      if (n % 3 === 2) await box.remove()
    }
  },
}
await scenarios[scenario]?.()
say({ done: true })
await runtime.close()
