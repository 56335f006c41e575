import type { Scenario } from './scenario.ts'
import { disks } from './scenarios/disks.ts'
import { executions } from './scenarios/executions.ts'
import { files } from './scenarios/files.ts'
import { health } from './scenarios/health.ts'
import { images } from './scenarios/images.ts'
import { commands, fates, starts } from './scenarios/life.ts'
import { recoveries } from './scenarios/recoveries.ts'
import { snapshots } from './scenarios/snapshots.ts'
import { special } from './scenarios/special.ts'
import { subscriptions } from './scenarios/subscriptions.ts'
import { busy, reopen } from './scenarios/unbounded.ts'

/** All that an engine is let do to come to every crash point, by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  ...files,
  ...starts,
  ...commands,
  ...fates,
  ...recoveries,
  ...executions,
  ...health,
  ...snapshots,
  ...disks,
  ...images,
  ...subscriptions,
}

/** One of them, one of a single row, or one without an end of its own. */
export function scenarioOf(name: string): Scenario {
  const scenario = { ...scenarios, ...special, busy, reopen }[name]
  if (scenario === undefined) throw new Error(`There is no scenario ${name}`)
  return scenario
}
