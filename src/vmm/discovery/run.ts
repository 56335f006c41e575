import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface RunOptions {
  readonly limitMs: number
  readonly signal: AbortSignal
  /** asked now and then: true ends the run early */
  readonly isEnough?: () => boolean
}

export interface Outcome {
  /** null: it was ended before it ended itself, or could not be started */
  readonly exitCode: number | null
  readonly stdout: string
}

const longestOutput = 64 * 1024

/** Runs a program to its end or to a limit, whichever is first; it is gone when this resolves. */
export async function run(command: readonly string[], options: RunOptions): Promise<Outcome> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { LANG: 'C', PATH: '' } })
  let stdout = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    if (stdout.length < longestOutput) stdout += text
  })
  const kill = () => child.kill('SIGKILL')
  const limit = setTimeout(kill, options.limitMs)
  const asking = setInterval(() => options.isEnough?.() === true && kill(), 20)
  options.signal.addEventListener('abort', kill, { once: true })
  try {
    if (options.signal.aborted) kill()
    const [exitCode] = (await once(child, 'close')) as [number | null]
    return { exitCode, stdout }
  } catch {
    return { exitCode: null, stdout } // it could not be started, which for a probe is an answer
  } finally {
    clearTimeout(limit)
    clearInterval(asking)
    options.signal.removeEventListener('abort', kill)
  }
}
