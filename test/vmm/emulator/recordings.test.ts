import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MATRIX_STATES, planMatrix } from './replay-matrix.ts'
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

recordings('at most a fifth is left out', () => {
  console.log(total.format())
  assert.ok(total.leftOut.length <= (total.replayed + total.leftOut.length) / 5)
})

recordings.run()
