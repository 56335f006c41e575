import type { Scenario } from './scenario.ts'
import { files } from './scenarios/files.ts'
import { commands, fates, starts } from './scenarios/life.ts'
import { recoveries } from './scenarios/recoveries.ts'

/** All that the crash tests let an engine do, by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  ...files,
  ...starts,
  ...commands,
  ...fates,
  ...recoveries,
}
