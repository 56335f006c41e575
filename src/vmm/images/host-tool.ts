import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { asImageError, ImageError, systemCode, throwIfAborted } from './image-error.ts'

/** How to run a program of the host: an argument array, never a shell. */
export interface ToolRun {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** Bytes for its standard input */
  readonly input?: Uint8Array
  /** Open files that it has as descriptors 3 and up */
  readonly descriptors?: readonly number[]
  readonly signal?: AbortSignal | undefined
  /** Which Debian package brings the program, for the message when it is missing */
  readonly package: string
  /** Time limit in `ms`; default ten minutes, for slow mirrors */
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 600_000
const keptStderrBytes = 4096

/** Runs a program to its end and gives its standard output. Anything but exit code 0 is an ImageError with the end of its stderr. */
export async function runTool(run: ToolRun): Promise<Buffer> {
  const chunks: Buffer[] = []
  await streamTool(run, async stdout => {
    for await (const chunk of stdout) chunks.push(chunk)
  })
  return Buffer.concat(chunks)
}

/**
 * Runs a program and hands its standard output to `consume` while it runs. An error of `consume` is passed on
 * after the program's end.
 */
export async function streamTool(run: ToolRun, consume: (stdout: Readable) => Promise<void>): Promise<void> {
  throwIfAborted(run.signal, run.command)
  const child = spawn(run.command, run.args, {
    cwd: run.cwd,
    // apt and dpkg translate their output; it is parsed here. What is in /sbin is not on everybody's PATH.
    env: {
      ...process.env,
      PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
      LC_ALL: 'C.UTF-8',
      LANGUAGE: 'C',
    },
    stdio: ['pipe', 'pipe', 'pipe', ...(run.descriptors ?? [])],
  }) as ChildProcessWithoutNullStreams
  let stderr = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptStderrBytes)
  })
  // EPIPE: a program that reads only part of its input is judged by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(run.input)

  const ended = exitOf(child)
  // Awaited below; without a handler an early rejection would count as unhandled while `consume` runs.
  ended.catch(() => {})
  const kill = () => child.kill('SIGKILL')
  const timeoutMs = run.timeoutMs ?? defaultTimeoutMs
  let late = false
  const timer = setTimeout(() => {
    late = true
    kill()
  }, timeoutMs)
  run.signal?.addEventListener('abort', kill, { once: true })
  try {
    const problem = await consume(child.stdout).then(
      () => undefined,
      (error: unknown) => asImageError(error, `${run.command}: reading its output`),
    )
    if (problem !== undefined) child.stdout.resume()
    const { code, signal } = await ended
    throwIfAborted(run.signal, run.command)
    if (late) throw failed(run, `no end after ${timeoutMs} ms`, stderr)
    // A stream that was cut off makes the consumer fail too: the program's own failure is the better story.
    if (code !== 0) throw failed(run, describe(code, signal), stderr)
    if (problem !== undefined) throw problem
  } finally {
    clearTimeout(timer)
    run.signal?.removeEventListener('abort', kill)
  }

  function exitOf(process: ChildProcess) {
    return new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      process.once('error', error => reject(startError(run, error)))
      process.once('close', (code, signal) => resolve({ code, signal }))
    })
  }
}

function describe(code: number | null, signal: string | null): string {
  return code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`
}

function failed(run: ToolRun, what: string, stderr: string): ImageError {
  const tail = stderr.trim()
  const code = /No space left on device|enough free space/.test(tail) ? 'NO_SPACE' : 'BOOT_FAILED'
  const line = [run.command, ...run.args].join(' ')
  return new ImageError(code, `\`${line}\` failed: ${what}${tail === '' ? '' : `\n${tail}`}`, {
    stderr: tail,
  })
}

function startError(run: ToolRun, error: Error): ImageError {
  if (systemCode(error) !== 'ENOENT') return asImageError(error, `starting ${run.command}`)
  return new ImageError(
    'UNSUPPORTED',
    `\`${run.command}\` was not found. On Debian: apt-get install ${run.package}`,
    { command: run.command, package: run.package },
    error,
  )
}
