import { isDeepStrictEqual } from 'node:util'
import { step as boxStep } from 'boxledger/machines'
import { Home, type Observed } from './home.ts'
import { type Model, outcomesOf } from './model.ts'
import type { Step } from './steps.ts'

/** The first step after which the home is not as it should be, and those that led to it. */
export class Failed extends Error {
  override readonly name = 'Failed'
  readonly steps: readonly Step[]

  constructor(steps: readonly Step[], cause: unknown) {
    super(`${JSON.stringify(steps)}\n${cause instanceof Error ? cause.message : cause}`, { cause })
    this.steps = steps
  }
}

/** Does the steps to a home and to the model. Throws {@link Failed} where they differ, or the home is not sound. */
export async function runSteps(steps: readonly Step[], fold = boxStep): Promise<void> {
  await using home = await Home.open(fold)
  // What has happened may be open, where an engine was killed: then the home is one of several models.
  let possible: readonly Model[] = [[]]
  for (const [n, step] of steps.entries()) {
    try {
      possible = await take(home, possible, step)
      if (n === steps.length - 1) await home.end()
    } catch (error) {
      throw new Failed(steps.slice(0, n + 1), error)
    }
  }
}

async function take(home: Home, possible: readonly Model[], step: Step): Promise<readonly Model[]> {
  const told = await home.take(step)
  const observed = await home.observe()
  const outcomes = possible.flatMap(model => outcomesOf(model, step))
  const fitting = outcomes.filter(
    ({ model, code }) => (code === null || code === told) && isDeepStrictEqual(seen(model), observed),
  )
  if (fitting.length === 0)
    throw new Error(
      [
        `told ${told}, with ${JSON.stringify(observed)}`,
        ...outcomes.map(({ model, code }) => `expected ${code}, with ${JSON.stringify(seen(model))}`),
      ].join('\n'),
    )
  await home.check()
  return [...new Map(fitting.map(({ model }) => [JSON.stringify(model), model])).values()]
}

/** What can be seen of a model from without. */
function seen(model: Model): Observed[] {
  return model.map(({ box, name, state, incarnation, cause, exitCode, restarts, isDue }) => ({
    ...{ box, name, state, incarnation, cause, exitCode, restarts, isDue },
  }))
}
