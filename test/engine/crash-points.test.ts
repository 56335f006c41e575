// @timeout 420
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withTempDir } from '../support/tmp.ts'
import { recoverAndCheck } from './crash/recover.ts'
import { runChild } from './crash/run-child.ts'

const test = suite('engine: killed at each boundary')

/** What happens at the same time comes in either order, so that a boundary is not met in every run. */
const tries = 5

async function killAt(scenario: string, boundary: string): Promise<boolean> {
  return withTempDir(async home => {
    const { boundaries, acknowledged, signal } = await runChild(home, scenario, boundary)
    await recoverAndCheck(home, acknowledged, `${scenario}, killed at ${boundary}`)
    return signal === 'SIGKILL' && boundaries.at(-1) === boundary
  })
}

for (const scenario of ['start', 'stop'] as const)
  test(`of ${scenario}`, async () => {
    const all = await withTempDir(async home => {
      const outcome = await runChild(home, scenario, 'never')
      assert.ok(outcome.done)
      await recoverAndCheck(home, outcome.acknowledged, `${scenario}, not killed`)
      return outcome.boundaries
    })
    assert.ok(all.length > 10, 'there are boundaries')
    const missed: string[] = []
    for (const boundary of all) {
      let met = false
      for (let n = 0; n < tries && !met; n += 1) met = await killAt(scenario, boundary)
      if (!met) missed.push(boundary)
    }
    console.log(`boundaries of ${scenario}: killed at ${all.length - missed.length} of ${all.length}`)
    assert.equal(missed, [])
  })

test.run()
