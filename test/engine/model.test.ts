// @timeout 300
// @timeout-long 900
import fc from 'fast-check'
import { suite } from 'uvu'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { regressions } from './model/regressions.ts'
import { runSteps } from './model/run.ts'
import { sequence } from './model/steps.ts'

const test = suite('engine: held against a plain model')

for (const { found, steps } of regressions) test(found, () => runSteps(steps))

test('after whatever happens in whatever order, the engine is where the model is', async () => {
  const { failed, counterexample, errorInstance } = await fc.check(
    fc.asyncProperty(sequence, steps => runSteps(steps)),
    { seed: takeSeed() | 0, numRuns: sized(300, 10_000) },
  )
  if (failed) throw new Error(`Shrunk to ${JSON.stringify(counterexample?.[0])}\n${errorInstance}`)
})

test.run()
