// @timeout 420
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { withTempDir } from '../support/tmp.ts'
import { recoverAndCheck } from './crash/recover.ts'
import { runChild } from './crash/run-child.ts'

const test = suite('engine: killed at any moment')
const moments = 100

test(`${moments} seeded moments`, async () => {
  const random = makeRandom(takeSeed())
  let records = 0
  let acknowledged = 0
  const ends: Record<string, number> = {}
  for (let n = 0; n < moments; n += 1)
    await withTempDir(async home => {
      const after = random.below(700)
      const outcome = await runChild(home, 'busy', 'never', after)
      assert.is(outcome.signal, 'SIGKILL')
      const { settled, records: there } = await recoverAndCheck(
        home,
        outcome.acknowledged,
        `after ${after} ms`,
      )
      records += there
      acknowledged += outcome.acknowledged.length
      for (const { state } of settled) ends[state] = (ends[state] ?? 0) + 1
    })
  console.log(`${moments} kills, ${acknowledged} answers, ${records} records, boxes found:`, ends)
})

test.run()
