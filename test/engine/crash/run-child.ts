import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BoxInfo } from 'boxledger'
import type { Binary } from './scenario.ts'

/** How a box was when a caller was told that something is done. */
export interface Answered extends Partial<Pick<BoxInfo, 'version' | 'pid' | 'incarnation'>> {
  readonly answered: string
  readonly state: BoxInfo['state']
}

export interface Outcome {
  /** `POINT#TIME` */
  readonly boundaries: readonly string[]
  readonly answers: readonly Answered[]
  readonly done: boolean
  readonly signal: NodeJS.Signals | null
}

export interface Run {
  readonly home: string
  readonly scenario: string
  readonly binary: Binary
  /** boundary at which it kills itself; default never */
  readonly at?: string
  /** boundary after which it is killed from outside, in so many `ms` */
  readonly killAfter?: { readonly boundary?: string; readonly ms: number }
}

const program = fileURLToPath(new URL('./child.js', import.meta.url))

/** Runs a scenario in an engine of its own, and waits for its end. */
export async function runChild({ home, scenario, binary, at = 'never', killAfter }: Run): Promise<Outcome> {
  const child = spawn(process.execPath, [program, home, scenario, at, JSON.stringify(binary)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const boundaries: string[] = []
  const answers: Answered[] = []
  let done = false
  let timer: NodeJS.Timeout | undefined
  createInterface({ input: child.stdout }).on('line', line => {
    const said = JSON.parse(line) as { boundary?: string; done?: boolean } | Answered
    if ('answered' in said) answers.push(said)
    else if (said.boundary !== undefined) boundaries.push(said.boundary)
    else done = true
    if (killAfter === undefined || timer !== undefined) return
    const isReached = killAfter.boundary === undefined || boundaries.at(-1) === killAfter.boundary
    if (isReached) timer = setTimeout(() => child.kill('SIGKILL'), killAfter.ms)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { boundaries, answers, done, signal }
}
