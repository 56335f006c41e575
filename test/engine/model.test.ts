// @timeout 300
// @timeout-long 900

import type { step as boxStep } from 'boxledger/machines'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { regressions } from './model/regressions.ts'
import { Failed, runSteps } from './model/run.ts'
import { type Step, sequence } from './model/steps.ts'
import { wrongSteps } from './model/wrong-steps.ts'

const test = suite('engine: held against a plain model')

/** The failure that is left when the sequence has been made as small as it can be; undefined: none was found. */
async function firstFailure(
  seed: number,
  numRuns: number,
  fold?: typeof boxStep,
): Promise<Failed | undefined> {
  const { errorInstance } = await fc.check(
    fc.asyncProperty(sequence, (steps: readonly Step[]) => runSteps(steps, fold)),
    { seed, numRuns },
  )
  if (errorInstance === undefined || errorInstance === null) return undefined
  assert.instance(errorInstance, Failed)
  return errorInstance as Failed
}

for (const { found, steps } of regressions) test(found, () => runSteps(steps))

test('whatever happens, in whatever order, the engine is where the model is', async () => {
  const failed = await firstFailure(takeSeed() | 0, sized(500, 10_000))
  if (failed !== undefined) throw failed
})

for (const [what, step] of Object.entries(wrongSteps))
  test(`it is noticed, and made small: ${what}`, async () => {
    const failed = await firstFailure(1, 2_000, step)
    assert.ok(failed !== undefined)
    assert.ok(failed.steps.length <= 6, failed.message)
  })

test.run()
