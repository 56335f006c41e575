import { writeSync } from 'node:fs'
import { type Box, BoxRuntime, type Clock } from 'boxledger'
import { crashPoints } from 'boxledger/machines'
import type { Binary, Stage } from './scenario.ts'
import { scenarioOf } from './scenarios.ts'

/**
 * An engine that dies on order: `child.js HOME SCENARIO AT BINARY`. At the boundary AT, `POINT#TIME`, or the n-th of
 * all, `#N`, it kills itself; `never`: not. Says on its standard output which boundaries it has passed, and how boxes
 * were when it was told that something is done.
 */
const [home, name, at, binary] = process.argv.slice(2) as [string, string, string, string]
const scenario = scenarioOf(name)
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)

let counting = scenario.fromOpening === true
let total = 0
const passed = new Map<string, number>()
let rejecting = false

const { behindMs = 0 } = scenario
const clock: Clock = {
  now: () => Date.now() - behindMs,
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, 0x7fffffff)).unref(),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
}

const runtime = await BoxRuntime.open({
  home,
  ...(behindMs === 0 ? {} : { clock }),
  vmm: { binary: scenario.vmm?.(home) ?? (JSON.parse(binary) as Binary) },
  seams: {
    boundary: point => {
      if (!crashPoints.includes(point)) throw new Error(`${point} is no crash point`)
      if (!counting) return
      const time = (passed.get(point) ?? 0) + 1
      passed.set(point, time)
      total += 1
      const boundary = `${point}#${time}`
      say({ boundary })
      if (at === boundary || at === `#${total}`) process.kill(process.pid, 'SIGKILL')
    },
    async aroundFlush(flush) {
      await flush()
      if (!rejecting) return
      rejecting = false
      throw new Error('The disk has failed, for the test')
    },
  },
})

const stage: Stage = {
  home,
  runtime,
  begin() {
    counting = true
  },
  async acknowledge(box: Box) {
    const { id, version, state, pid, incarnation } = await box.info()
    say({ answered: id, version, state, incarnation, ...(pid === undefined ? {} : { pid }) })
  },
  acknowledgeRemoval(id) {
    say({ answered: id, state: 'removed' })
  },
  rejectNextFlush() {
    rejecting = true
  },
}
await scenario.run(stage)
say({ done: true })
await runtime.close()
