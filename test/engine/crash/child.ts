import { writeSync } from 'node:fs'
import { BoxRuntime } from 'boxledger'
import { instantVmm, smallGuest } from '../../support/vmms.ts'

/**
 * An engine that dies on order. `child.js HOME SCENARIO AT`: at the boundary AT, `NAME#TIME`, it kills itself
 * (`never`: not). Says on its standard output which boundaries it has passed, and which records it was told are durable.
 */
const [home, scenario, at] = process.argv.slice(2) as [string, string, string]
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)
const image = smallGuest('idle')
/** The small guest ignores its power button: the ladder is climbed to its end. */
const stopTimeoutMs = 200

let counting = false
const passed = new Map<string, number>()
const runtime = await BoxRuntime.open({
  home,
  vmm: { binary: instantVmm },
  seams: {
    boundary: name => {
      if (!counting) return
      const time = (passed.get(name) ?? 0) + 1
      passed.set(name, time)
      const boundary = `${name}#${time}`
      say({ boundary })
      if (boundary === at) process.kill(process.pid, 'SIGKILL')
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
    const box = await runtime.create({ name: 'it', image, stopTimeoutMs })
    await acknowledge(box.id)
    await box.start()
    await acknowledge(box.id)
    counting = false
  },
  async stop() {
    const box = await runtime.create({ name: 'it', image, stopTimeoutMs })
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
      const { box } = await runtime.getOrCreate({ name: `box-${n % 3}`, image, stopTimeoutMs })
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
