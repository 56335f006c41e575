import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Answered, perform } from './perform.ts'
import type { Binary } from './scenario.ts'

/** What an engine has told of itself until its end. */
export interface Outcome {
  /** `POINT#TIME` */
  readonly boundaries: readonly string[]
  readonly answers: readonly Answered[]
  readonly signal: NodeJS.Signals | null
}

export interface Run {
  readonly home: string
  /** name of the scenario */
  readonly name: string
  readonly binary: Binary
  /** boundary at which it kills itself */
  readonly at?: string
  /** boundary after which it is killed from outside, in so many `ms`; without one, after its first word */
  readonly killAfter?: { readonly boundary?: string; readonly ms: number }
}

const program = fileURLToPath(new URL('./child.js', import.meta.url))

/** Runs a scenario in an engine of its own, and waits for its end. One that is not to be killed runs in this process. */
export async function runEngine(run: Run): Promise<Outcome> {
  const boundaries: string[] = []
  const answers: Answered[] = []
  if (run.at === undefined && run.killAfter === undefined) {
    await perform(run, {
      boundary: boundary => boundaries.push(boundary),
      answer: answer => answers.push(answer),
    })
    return { boundaries, answers, signal: null }
  }
  const { home, name, binary, at = '', killAfter } = run
  const child = spawn(process.execPath, [program, home, name, at, JSON.stringify(binary)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let timer: NodeJS.Timeout | undefined
  createInterface({ input: child.stdout }).on('line', line => {
    const said = JSON.parse(line) as { readonly boundary: string } | Answered
    if ('answered' in said) answers.push(said)
    else boundaries.push(said.boundary)
    if (killAfter === undefined || timer !== undefined) return
    const isReached = killAfter.boundary === undefined || boundaries.at(-1) === killAfter.boundary
    if (isReached) timer = setTimeout(() => child.kill('SIGKILL'), killAfter.ms)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { boundaries, answers, signal }
}
