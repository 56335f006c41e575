// @timeout 420
// @timeout-long 420

import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { instantVmm } from '../support/vmms.ts'
import { inTwos, killAndCheck } from './crash/kill.ts'

const test = suite('engine: killed at any moment')
const moments = sized(8, 120)

test(`${moments} seeded moments`, async () => {
  const random = makeRandom(takeSeed())
  const counts = { records: 0, answers: 0 }
  const ends: Record<string, number> = {}
  const times = Array.from({ length: moments }, () => random.below(900))
  await inTwos(times, async ms => {
    const { outcome, boxes, records } = await killAndCheck(instantVmm, {
      scenario: 'busy',
      killAfter: { ms },
    })
    assert.is(outcome.signal, 'SIGKILL')
    counts.records += records.length
    counts.answers += outcome.answers.length
    for (const { state } of boxes) ends[state] = (ends[state] ?? 0) + 1
  })
  console.log(`${moments} kills, ${counts.answers} answers, ${counts.records} records, boxes found:`, ends)
})

test.run()
