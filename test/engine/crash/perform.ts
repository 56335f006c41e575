import { dirname } from 'node:path'
import { type Box, type BoxInfo, BoxRuntime, type Clock } from 'boxledger'
import { handsTo } from '../../api/exec/in-a-box.ts'
import { HostAgents } from '../../support/agent.ts'
import type { Binary, Stage } from './scenario.ts'
import { scenarioOf } from './scenarios.ts'

/** How a box was when a caller was told that something is done. */
export interface Answered extends Partial<Pick<BoxInfo, 'version' | 'pid' | 'incarnation'>> {
  readonly answered: string
  readonly state: BoxInfo['state']
}

/** Who hears how a scenario goes. */
export interface Listener {
  /** an engine has come to a boundary, `POINT#TIME`, the n-th of all */
  boundary(boundary: string, n: number): void
  answer(answer: Answered): void
}

const clockBehind = (ms: number): Clock => ({
  now: () => Date.now() - ms,
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
})

/** Runs a scenario to its end, in an engine of this process. */
export async function perform(
  { home, name, binary }: { readonly home: string; readonly name: string; readonly binary: Binary },
  { boundary, answer }: Listener,
): Promise<void> {
  const scenario = scenarioOf(name)
  let counting = scenario.fromOpening === true
  let rejecting = false
  let total = 0
  const passed = new Map<string, number>()
  const { behindMs } = scenario
  await using agents = scenario.hasAgent ? await HostAgents.listen(dirname(home)) : undefined
  await using runtime = await BoxRuntime.open({
    home,
    vmm: { binary: scenario.vmm?.(home) ?? binary },
    ...(behindMs === undefined ? {} : { clock: clockBehind(behindMs) }),
    seams: {
      ...(agents === undefined ? {} : { hands: handsTo(agents) }),
      boundary: point => {
        if (!counting) return
        const time = (passed.get(point) ?? 0) + 1
        passed.set(point, time)
        total += 1
        boundary(`${point}#${time}`, total)
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
      answer({ answered: id, version, state, incarnation, ...(pid === undefined ? {} : { pid }) })
    },
    acknowledgeRemoval(id) {
      answer({ answered: id, state: 'removed' })
    },
    rejectNextFlush() {
      rejecting = true
    },
  }
  await scenario.run(stage)
}
