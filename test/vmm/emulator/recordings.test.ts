// @timeout 300

import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { planConfigs } from './replay-configs.ts'
import { planConnections } from './replay-connections.ts'
import { planEventMonitor } from './replay-event-monitor.ts'
import { planHttpMisuse } from './replay-http-misuse.ts'
import { MATRIX_STATES, planMatrix } from './replay-matrix.ts'
import { planProcessLifecycle } from './replay-process.ts'
import { Tally } from './tally.ts'
import { runPool } from './wait.ts'

const recordings = suite('recordings of cloud-hypervisor, replayed on the emulator')

const total = new Tally()

async function replay(plan: (tally: Tally) => (() => Promise<void>)[], atOnce = 3): Promise<void> {
  const tally = new Tally()
  await runPool(atOnce, plan(tally))
  total.add(tally)
  tally.check()
}

for (const state of MATRIX_STATES) {
  recordings(`matrix-${state}`, () => replay(tally => planMatrix(state, tally)))
}

recordings('http-misuse', () => replay(planHttpMisuse))
recordings('connections', () => replay(planConnections))
recordings('process-lifecycle', () => replay(planProcessLifecycle))
recordings('create-and-boot-configs', () => replay(planConfigs))
recordings('event-monitor-raw', () => replay(planEventMonitor))

recordings('at most a fifth is left out', () => {
  console.log(total.format())
  assert.ok(total.leftOut.length <= (total.replayed + total.leftOut.length) / 5)
})

recordings.run()
