import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Boundary, ProcessIdentity } from '../../machines/index.ts'
import { isOwnDirectory, wary } from '../files/own-file.ts'
import type { RunFiles } from '../files/paths.ts'
import { identify } from './identity.ts'
import { lookAtLifeLock, takeLifeLock } from './proof.ts'

/** A VMM that this process has made: the only kind whose exit code can be known. */
export interface OwnChild {
  readonly identity: ProcessIdentity
  /** resolves when it has ended */
  readonly ended: Promise<{ readonly exitCode?: number; readonly signal?: string }>
}

export interface SpawnOptions {
  readonly command: readonly string[]
  readonly files: RunFiles
  readonly env: Readonly<Record<string, string>>
  /** false: it ends when this process ends, however that is */
  readonly detach: boolean
  /** the run directory may be there already */
  readonly again: boolean
  readonly boundary: Boundary
}

/**
 * Makes the run directory and starts the VMM in a session of its own: a signal to the engine's terminal does not reach
 * it, and it needs nothing from the engine once it runs, neither a pipe nor a parent.
 */
export async function spawnVmm({
  command,
  files,
  env,
  detach,
  again,
  boundary,
}: SpawnOptions): Promise<OwnChild> {
  boundary('before making the run directory')
  mkdirSync(dirname(files.dir), { recursive: true, mode: 0o700 })
  mkdirSync(files.dir, { recursive: again, mode: 0o700 })
  for (const dir of [dirname(files.dir), files.dir])
    if (!isOwnDirectory(dir)) throw new Error(`${dir} is not a directory of its own`)
  // O_EXCL cannot be: a spawn that is tried again may find the files of the first try.
  const output = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | wary
  // The VMM makes these as its umask says; what is there already it takes as it is.
  const { events, log, serial, command: commandLog } = files
  for (const path of [events, log, serial, commandLog, `${files.socket}.lock`])
    closeSync(openSync(path, output, 0o600))
  boundary('after making the run directory')
  const descriptors: number[] = []
  try {
    for (const path of [files.stdout, files.stderr]) descriptors.push(openSync(path, output, 0o600))
    if (again && lookAtLifeLock(files.alive) === 'free') removeLifeLock()
    boundary('before taking the life lock')
    const lock = takeLifeLock(files.alive)
    boundary('after taking the life lock')
    descriptors.push(lock)
    boundary('before spawn')
    try {
      return await start(detach ? command : ['setpriv', '--pdeathsig', 'KILL', '--', ...command])
    } catch (error) {
      // Nothing was spawned, and nothing may look as if it was.
      removeLifeLock()
      throw error
    }
  } finally {
    for (const fd of descriptors) closeSync(fd)
  }

  function removeLifeLock(): void {
    boundary('before removing the life lock')
    rmSync(files.alive, { force: true })
    boundary('after removing the life lock')
  }

  async function start([program = '', ...args]: readonly string[]): Promise<OwnChild> {
    const child = spawn(program, args, {
      cwd: files.dir,
      env,
      detached: true,
      stdio: ['ignore', ...descriptors],
    })
    if (child.pid === undefined) throw await failureOf(child)
    boundary('after spawn')
    const ended = endOf(child)
    child.unref()
    // Nobody has waited for it in this tick: even if it has ended already its start time can be read.
    return { identity: identify(child.pid), ended }
  }
}

function failureOf(child: ChildProcess): Promise<Error> {
  return new Promise(resolve => child.once('error', resolve))
}

function endOf(child: ChildProcess): OwnChild['ended'] {
  return new Promise(resolve => {
    child.on('error', () => {}) // a signal that could not be sent; the driver sends none through it
    child.once('exit', (code, signal) =>
      resolve({
        ...(code === null ? {} : { exitCode: code }),
        ...(signal === null ? {} : { signal }),
      }),
    )
  })
}
