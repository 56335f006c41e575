import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { TestFile } from './discover.ts'
import { describeProcess, killFound } from './processes.ts'
import type { Workspace } from './workspace.ts'

export interface RunOptions {
  /** Working directory of the file */
  readonly root: string
  /** In the environment of everything the file starts */
  readonly id: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface Ending {
  readonly how: 'exited' | 'timed out' | 'stopped' | 'not started'
  readonly code: number | null
  /** Signal, reason or time limit */
  readonly detail: string
  readonly pid: number | undefined
  /** What was killed with it */
  readonly killed: readonly string[]
}

/** Runs a test file's process to its end, its time limit, or the end of the whole run. */
export const runProgram = (file: TestFile, options: RunOptions, workspace: Workspace): Promise<Ending> => {
  const { timeoutMs, signal } = options
  if (signal.aborted) return Promise.resolve(notStarted(String(signal.reason)))
  if (timeoutMs <= 0) return Promise.resolve(notStarted("the whole run's time was up"))

  return new Promise(resolve => {
    // A file takes the output: it keeps the order of both streams, loses nothing in a crash, and nobody can hold it open.
    const output = openSync(workspace.outputPath, 'a')
    const child = spawn(process.execPath, ['--enable-source-maps', file.program], {
      cwd: options.root,
      env: workspace.env,
      detached: true,
      stdio: ['ignore', output, output],
    })
    closeSync(output)

    let ended: Pick<Ending, 'how' | 'detail'> | undefined
    let killed: string[] = []
    const end = (how: Ending['how'], detail: string): void => {
      if (ended || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      ended = { how, detail }
      // While the file's process lives its descendants are known by it, also those in sessions of their own.
      const found = killFound({ id: options.id, dir: workspace.dir, leader: child.pid })
      killed = found.filter(({ pid }) => pid !== child.pid).map(describeProcess)
      // It is not reaped yet, so its number is still ours.
      child.kill('SIGKILL')
    }
    const onAbort = (): void => end('stopped', String(signal.reason))
    const onTimeout = (): void => end('timed out', `${timeoutMs / 1000} s`)
    const timer = setTimeout(onTimeout, Math.min(timeoutMs, 2 ** 31 - 1))
    signal.addEventListener('abort', onAbort, { once: true })

    const settle = (code: number | null, detail: string): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      resolve({ ...(ended ?? { how: 'exited', detail }), code, pid: child.pid, killed })
    }
    child.once('error', error => settle(null, error.message))
    child.once('exit', (code, name) => settle(code, String(name)))
  })
}

const notStarted = (detail: string): Ending => ({
  how: 'not started',
  code: null,
  detail,
  pid: undefined,
  killed: [],
})
