import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { BoxInfo } from 'boxledger'
import { makeOutput } from '../../src/cli/output.ts'
import { runCommand } from '../../src/cli/program.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

export const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A home, and the command on it. */
export interface Shell {
  readonly home: string
  /** Runs it to its end, in this process: its beginning takes longer than most of what it does */
  run(...args: string[]): Promise<Result>
  /** The same; fails unless it ends with 0. Gives what it printed, without the last end of line */
  ok(...args: string[]): Promise<string>
  json<T>(...args: string[]): Promise<T>
  /** Starts it as a program, and leaves it to the caller */
  start(...args: string[]): ChildProcess
  info(box: string): Promise<BoxInfo>
}

/** The small guest as flags; `mode` says what it does. */
export const guest = (mode: string): string[] => cmdline(smallGuest(mode).cmdline)

/** The small guest's file with another command line: the VMM without a guest obeys it too. */
export const cmdline = (words: string): string[] => [
  ...['--kernel', smallGuest('idle').kernel],
  ...['--cmdline', words],
]

/** Runs a test in a home of its own; whatever boxes are left in it are removed. */
export const withShell = (fn: (shell: Shell) => Promise<void>, vmm = instantVmm.join(' ')): Promise<void> =>
  withTempDir(async dir => {
    const shell = shellOf(path.join(dir, 'home'), vmm)
    try {
      await fn(shell)
    } finally {
      const left = existsSync(shell.home) ? (await shell.ok('ls', '-aq')).split('\n').filter(Boolean) : []
      if (left.length > 0) await shell.run('rm', '-f', ...left)
    }
  })

/** The command on a home that has an owner. */
export const shellOn = (home: string): Shell => shellOf(home, instantVmm.join(' '))

const shellOf = (home: string, vmm: string): Shell => {
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [main, '--home', home, ...args], {
      env: { ...process.env, BOXLEDGER_VMM: vmm, BOXLEDGER_HOME: '/nowhere' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const run = (...args: string[]): Promise<Result> => runHere(home, vmm, args)
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args)
    if (code !== 0) throw new Error(`boxledger ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
    return stdout.trimEnd()
  }
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await ok('--json', ...args)) as T
  const info = async (box: string): Promise<BoxInfo> => {
    const [only] = await json<BoxInfo[]>('inspect', box)
    if (only === undefined) throw new Error(`no ${box}`)
    return only
  }
  return { home, run, ok, json, start, info }
}

/** What the program does, without the program. */
async function runHere(home: string, vmm: string, args: readonly string[]): Promise<Result> {
  const stop = new AbortController()
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(stdout), text(stderr)])
  const output = makeOutput({ stdout, stderr, env: { NO_COLOR: '1' }, stop })
  // Read as late as a box is started, maybe by another command: it stays.
  process.env.BOXLEDGER_VMM = vmm
  const code = await runCommand(['--home', home, ...args], { output, stop: stop.signal })
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, stdout: out, stderr: err }
}

export const finish = async (child: ChildProcess): Promise<Result> => {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('started without pipes')
  const ended = once(child, 'close')
  const [out, err] = await Promise.all([text(stdout), text(stderr)])
  const [code] = await ended
  return { code, stdout: out, stderr: err }
}

/** The error that `--json` puts on stderr. */
export const errorIn = ({
  stderr,
}: Result): { code: string; message: string; details: Record<string, unknown> } => JSON.parse(stderr).error

/** Resolves with the first thing that a command prints; rejects if it ends before. */
export const firstOutput = async (child: ChildProcess): Promise<string> => {
  const ended = new AbortController()
  child.once('exit', code => ended.abort(new Error(`ended with ${code} before it printed anything`)))
  const [data] = await once(child.stdout as NodeJS.EventEmitter, 'data', { signal: ended.signal }).catch(
    error => {
      throw ended.signal.reason ?? error
    },
  )
  return String(data)
}
