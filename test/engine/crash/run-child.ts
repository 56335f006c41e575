import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Durable } from './recover.ts'

export interface Outcome {
  readonly boundaries: readonly string[]
  readonly acknowledged: readonly Durable[]
  readonly done: boolean
  readonly signal: NodeJS.Signals | null
}

/** Runs the scenario in an engine of its own, which kills itself at a boundary, or is killed so long after its first word. */
export async function runChild(
  home: string,
  scenario: string,
  at: string,
  killAfterMs?: number,
): Promise<Outcome> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./child.js', import.meta.url)), home, scenario, at],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const boundaries: string[] = []
  const acknowledged: Durable[] = []
  let done = false
  let timer: NodeJS.Timeout | undefined
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => {
    timer ??= killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    const said = JSON.parse(line) as { boundary?: string; durable?: string; version?: number; done?: boolean }
    if (said.boundary !== undefined) boundaries.push(said.boundary)
    if (said.durable !== undefined) acknowledged.push(said as Durable)
    if (said.done) done = true
  })
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { boundaries, acknowledged, done, signal }
}
