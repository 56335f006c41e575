import { BoxError } from 'boxledger'
import { Simulation, type SimulationOptions } from 'boxledger/testing'
import * as assert from 'uvu/assert'

/** A world that has to hold its invariants, whatever the test does to it. */
export async function inWorld(
  options: Omit<SimulationOptions, 'seed'>,
  body: (world: Simulation) => Promise<void>,
): Promise<void> {
  await using world = await Simulation.open({ seed: 1, ...options })
  await body(world)
  assert.equal(world.violations, [])
}

/** The code that a promise rejects with; `none`: it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return BoxError.is(error) ? error.code : String(error)
  }
}
