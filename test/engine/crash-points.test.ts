// @timeout 300
// @timeout-long 1500
import { crashPoints } from 'boxledger/machines'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { instantVmm } from '../support/vmms.ts'
import { inTwos, killAndCheck } from './crash/kill.ts'
import { scenarios } from './crash/scenarios.ts'
import { type Met, onePerPoint, pointOf, somePerScenario, survey } from './crash/survey.ts'

const test = suite('engine: killed at each crash point')
const random = makeRandom(takeSeed())
const met: Met[] = []

/** What happens at the same time comes in either order, so that a boundary is not met in every run. */
const tries = 5

test('every point is come to, and no other', async () => {
  met.push(...(await survey(instantVmm, Object.keys(scenarios))))
  const points = new Set(met.map(pointOf))
  assert.equal(
    crashPoints.filter(point => !points.has(point)),
    [],
    'points that no scenario comes to',
  )
  const known: ReadonlySet<string> = new Set(crashPoints)
  assert.equal(
    [...points].filter(point => !known.has(point)),
    [],
    'points that are not on the list',
  )
})

test('what every box is told and has been told survives a kill at each', async () => {
  const kills = sized(onePerPoint(met, random), somePerScenario(met, 3, random))
  const missed: string[] = []
  await inTwos(kills, async ({ scenario, at }) => {
    for (let n = 0; n < tries; n += 1) {
      const { outcome } = await killAndCheck(instantVmm, { scenario, at })
      if (outcome.signal === 'SIGKILL' && outcome.boundaries.at(-1) === at) return
    }
    missed.push(`${scenario}: ${at}`)
  })
  const points = new Set(kills.map(pointOf))
  console.log(`${kills.length - missed.length} of ${kills.length} kills, at ${points.size} points`)
  assert.equal(missed, [])
})

test('so it does where the next owner is killed too, and the one after it', async () => {
  let killed = 0
  const chains = Array.from({ length: sized(8, 150) }, () => ({
    ...random.pick(met),
    thenAt: Array.from({ length: 1 + random.below(2) }, () => `#${13 + random.below(14)}`),
  }))
  await inTwos(chains, async chain => {
    killed += (await killAndCheck(instantVmm, chain)).kills
  })
  console.log(`${chains.length} homes, ${killed} owners killed`)
})

test.run()
