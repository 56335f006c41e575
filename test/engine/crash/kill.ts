import { join } from 'node:path'
import { withTempDir } from '../../support/tmp.ts'
import { type Check, type Recovered, recoverAndCheck } from './recover.ts'
import { type Outcome, type Run, runEngine } from './run-child.ts'
import type { Binary } from './scenario.ts'
import { scenarioOf } from './scenarios.ts'

export interface Kill {
  /** name of the scenario */
  readonly scenario: string
  /** boundary to be killed at; absent: not at all */
  readonly at?: string
  /** boundaries after that, of the opening of the home, to be killed at, one owner after the other */
  readonly thenAt?: readonly string[]
  readonly killAfter?: Run['killAfter']
  /** what happens while no engine is there */
  readonly meanwhile?: (home: string, outcome: Outcome) => unknown
  /** looks at what the next engine has made of it */
  readonly look?: Check['look']
}

export interface Killed extends Recovered {
  readonly outcome: Outcome
  /** owners that were killed */
  readonly kills: number
}

/** Lets an engine do something, kills it, and checks what the next one makes of it. */
export function killAndCheck(binary: Binary, kill: Kill): Promise<Killed> {
  return withTempDir(async dir => {
    const { scenario: name, at, thenAt = [], killAfter, meanwhile, look } = kill
    const home = join(dir, 'home')
    const scenario = scenarioOf(name)
    await scenario.prepare?.(home, binary)
    const outcome = await runEngine({
      home,
      name,
      binary,
      ...(at === undefined ? {} : { at }),
      ...(killAfter === undefined ? {} : { killAfter }),
    })
    let kills = outcome.signal === 'SIGKILL' ? 1 : 0
    scenario.mend?.(home)
    await meanwhile?.(home, outcome)
    for (const at of thenAt) {
      const { signal } = await runEngine({ home, name: 'reopen', binary, at })
      if (signal === 'SIGKILL') kills += 1
    }
    const what = [`${name}, killed at ${at ?? 'no boundary'}`, ...thenAt].join(', then at ')
    // Where something befalls them boxes may not stay as they were.
    const answers = meanwhile === undefined ? outcome.answers : []
    const recovered = await recoverAndCheck(
      home,
      { ...outcome, answers },
      { binary, what, scenario, ...(look === undefined ? {} : { look }) },
    )
    return { ...recovered, outcome, kills }
  })
}

/** Works on a list, two at a time, to its end whatever fails; then fails with all that did. */
export async function inTwos<T>(list: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const failures: string[] = []
  const queue = list[Symbol.iterator]()
  const one = async () => {
    for (let next = queue.next(); !next.done; next = queue.next())
      await work(next.value).catch(error => failures.push(messageOf(error)))
  }
  await Promise.all([one(), one()])
  if (failures.length > 0) throw new Error(failures.join('\n\n'))
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What an assertion compares is no part of its message.
  return 'details' in error ? `${error.message}\n${String(error.details)}` : (error.stack ?? error.message)
}
