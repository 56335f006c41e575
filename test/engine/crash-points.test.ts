// @timeout 900
// @timeout-long 1800
import type { BoxRuntime } from 'boxledger'
import { crashPoints } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { needsCloudHypervisor } from '../support/requires.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { instantVmm } from '../support/vmms.ts'
import { inTwos, killAndCheck } from './crash/kill.ts'
import { rows } from './crash/rows.ts'
import { lastWords } from './crash/scenarios/special.ts'
import { scenarios } from './crash/scenarios.ts'
import { type Met, onePerPoint, onePerScenario, pointIn, pointOf, someOf, survey } from './crash/survey.ts'

const test = suite('engine: killed at each crash point')
const random = makeRandom(takeSeed())
const met: Met[] = []

/** What happens at the same time comes in either order, so that a boundary is not met in every run. */
const tries = 5

/** Where to try: how often a point is come to differs too, but if so, it is come to once. */
const tried = (at: string, n: number) => (n < tries - 2 ? at : `${pointIn(at)}#1`)

/** The steps by which a file is cut that has grown too long. */
const cuts = ["keeping a file's end", 'naming the kept end', 'cutting a file'].flatMap(step => [
  `before ${step}#1`,
  `after ${step}#1`,
])

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

test('what must hold does so after a kill', async () => {
  // Some will do in the normal run, beside those of the table's rows and of the test below; each gets its turn by the seed.
  const ofRows = rows.flatMap(({ kills }) => kills.map(({ at }) => at ?? ''))
  const elsewhere = new Set([...ofRows, ...cuts].map(pointIn))
  const kills = sized(
    someOf(
      onePerPoint(met, random).filter(each => !elsewhere.has(pointOf(each))),
      24,
      random,
    ),
    onePerScenario(met, random),
  )
  const missed: string[] = []
  await inTwos(kills, async ({ scenario, at }) => {
    for (let n = 0; n < tries; n += 1) {
      const now = tried(at, n)
      const { outcome } = await killAndCheck(instantVmm, { scenario, at: now })
      if (outcome.signal === 'SIGKILL' && outcome.boundaries.at(-1) === now) return
    }
    missed.push(`${scenario}: ${at}`)
  })
  console.log(`${kills.length - missed.length} of ${kills.length} kills`)
  assert.equal(missed, [])
})

test('the end of a console that is being cut is kept', () =>
  inTwos(cuts, async at => {
    const scenario = 'a console that grows'
    const look = async (runtime: BoxRuntime) => {
      const pieces: Uint8Array[] = []
      for await (const piece of (await runtime.get('it'))?.console() ?? []) pieces.push(piece)
      const times = Buffer.concat(pieces).toString('latin1').split(lastWords).length - 1
      assert.is(times, 1, `${at}: the last words are there`)
    }
    const { outcome } = await killAndCheck(instantVmm, { scenario, at, look })
    assert.is(outcome.boundaries.at(-1), at)
  }))

test('what must hold does so where the next owner is killed too, and the one after it', async () => {
  let killed = 0
  const chains = Array.from({ length: sized(4, 60) }, () => ({
    ...random.pick(met),
    thenAt: Array.from({ length: 1 + random.below(2) }, () => `#${13 + random.below(14)}`),
  }))
  await inTwos(chains, async chain => {
    killed += (await killAndCheck(instantVmm, chain)).kills
  })
  console.log(`${chains.length} homes, ${killed} owners killed`)
})

needsCloudHypervisor(test, 'what must hold does so on cloud-hypervisor', async () => {
  const real = met.filter(({ scenario }) => scenarios[scenario]?.real)
  const kills = someOf(real, sized(8, 120), random)
  await inTwos(kills, async kill => {
    await killAndCheck('cloud-hypervisor', kill)
  })
  console.log(`${kills.length} kills on cloud-hypervisor`)
})

test.run()
