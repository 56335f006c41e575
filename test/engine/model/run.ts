import { isDeepStrictEqual } from 'node:util'
import type { SimulationOptions } from 'boxledger/testing'
import { Home, type Observed } from './home.ts'
import { type Model, outcomesOf } from './model.ts'
import type { Step } from './steps.ts'

/** Does the steps to a home and to the model, and throws at the first one after which they differ. */
export async function runSteps(steps: readonly Step[], step?: SimulationOptions['step']): Promise<void> {
  await using home = await Home.open(step)
  // What has happened may be open, where an engine was killed: then the home is one of several models.
  let possible: readonly Model[] = [[]]
  for (const [n, step] of steps.entries()) {
    const code = await home.take(step)
    const observed = await home.observe()
    const outcomes = possible.flatMap(model => outcomesOf(model, step))
    const fitting = outcomes.filter(
      outcome =>
        (outcome.code === null || outcome.code === code) && isDeepStrictEqual(seen(outcome.model), observed),
    )
    if (fitting.length === 0)
      throw new Error(
        [
          `Step ${n + 1}, ${JSON.stringify(step)}, told ${code}, and leaves ${JSON.stringify(observed)}`,
          ...outcomes.map(({ model, code }) => `expected: ${code}, ${JSON.stringify(seen(model))}`),
        ].join('\n'),
      )
    possible = [...new Map(fitting.map(({ model }) => [JSON.stringify(model), model])).values()]
    await home.check()
  }
  await home.end()
}

/** What can be seen of a model from without. */
function seen(model: Model): Observed[] {
  return model.map(({ box, name, state, incarnation, cause, exitCode, restarts, isDue }) => ({
    ...{ box, name, state, incarnation, cause, exitCode, restarts, isDue },
  }))
}
