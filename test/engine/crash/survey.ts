import { type CrashPoint, crashPoints } from 'boxledger/machines'
import type { Random } from '../../support/seed.ts'
import { inTwos, killAndCheck } from './kill.ts'
import type { Binary } from './scenario.ts'
import { scenarios } from './scenarios.ts'

/** A boundary of a scenario: `POINT#TIME`. */
export interface Met {
  readonly scenario: string
  readonly at: string
}

export const pointIn = (boundary: string) => boundary.replace(/#\d+$/, '') as CrashPoint
export const pointOf = ({ at }: Met) => pointIn(at)

/** Runs scenarios to their ends, and tells which boundaries each has come to. */
export async function survey(binary: Binary, names: readonly string[]): Promise<Met[]> {
  const met: Met[] = []
  await inTwos(names, async scenario => {
    const { outcome } = await killAndCheck(binary, { scenario })
    met.push(...outcome.boundaries.map(at => ({ scenario, at })))
  })
  return met
}

/** One boundary for each point: of points of a recovery, one at which there is something to take up. */
export function onePerPoint(met: readonly Met[], random: Random): Met[] {
  return crashPoints.flatMap(point => {
    const all = met.filter(each => pointOf(each) === point)
    const recovering = all.filter(({ scenario }) => scenarios[scenario]?.recovers)
    const choice = recovering.length > 0 ? recovering : all
    return choice.length === 0 ? [] : [random.pick(choice)]
  })
}

/** One boundary for each point of each scenario. */
export function onePerScenario(met: readonly Met[], random: Random): Met[] {
  const groups = new Map<string, Met[]>()
  for (const each of met) {
    const group = `${each.scenario} ${pointOf(each)}`
    groups.set(group, [...(groups.get(group) ?? []), each])
  }
  return [...groups.values()].map(group => random.pick(group))
}

/** At most so many of a list, each once. */
export function someOf<T>(list: readonly T[], most: number, random: Random): T[] {
  const rest = [...list]
  return Array.from({ length: Math.min(most, rest.length) }, () =>
    rest.splice(random.below(rest.length), 1),
  ).flat()
}
