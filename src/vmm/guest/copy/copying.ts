import { BoxError, type ErrorCode } from '../../../machines/index.ts'
import type { GuestChannel } from '../channel.ts'
import type { Program, ProgramEnd } from '../program.ts'

/** How far a copy is. */
export interface CopyProgress {
  /** of the archive that goes over, in `bytes` */
  readonly bytes: number
  /** files, directories and links so far */
  readonly entries: number
}

export interface Copying {
  readonly channel: GuestChannel
  /** absolute path on the side that is copied from */
  readonly from: string
  /** absolute path on the other side: of what is to be made, or of a directory that takes it */
  readonly to: string
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

/** How the guest's part of a copy ends, by exit code. */
export const endings = { missing: 10, place: 11, archive: 12, kind: 13 } as const

const told: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  [endings.missing]: ['NOT_FOUND', 'is not in the guest'],
  [endings.place]: ['INVALID_ARGUMENT', 'cannot be made in the guest'],
  [endings.archive]: ['INVALID_ARGUMENT', 'could not be copied'],
  [endings.kind]: ['INVALID_ARGUMENT', 'is a directory where a file is, or the other way round'],
}

/** What the caller's own function has thrown. */
class ThrownByCaller extends Error {}

/** Where a guest's root file system is somebody's disk, busybox is beside it. */
const ours = 'PATH=/run/boxledger-guest/bin:$PATH'

/** Runs a script of ours for busybox's shell in the guest; what the user gave are its arguments. */
function runScript(channel: GuestChannel, script: string, args: readonly string[]): Program {
  return channel.run({
    args: ['/bin/sh', '-c', `${ours}; ${script}`, 'boxledger', ...args],
    env: {},
    workdir: '/',
    user: '',
  })
}

/**
 * Does work with a program in the guest. When the signal fires, or the work fails, the program is told to stop, and let
 * go of if it does not: whatever the guest does, this ends. Errors are those that the caller gets.
 */
export async function withProgram(
  { channel, signal }: Copying,
  path: string,
  script: string,
  args: readonly string[],
  work: (program: Program, said: Promise<string>) => Promise<void>,
): Promise<void> {
  let program: Program | undefined
  let givingUp: Promise<void> | undefined
  const giveUp = () => {
    if (program) givingUp ??= stop(channel, program)
  }
  try {
    signal?.throwIfAborted()
    program = runScript(channel, script, args)
    const said = complaintsOf(program)
    said.catch(() => {}) // the guest is gone, which the end tells
    signal?.addEventListener('abort', giveUp, { once: true })
    await work(program, said)
  } catch (error) {
    giveUp()
    await givingUp
    throw asCopyError(error, signal, path)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

/** How long a program that is told to stop may take to clean up, and one that is killed to be gone, in `ms`. */
const cleanUpMs = 2_000
const goneMs = 1_000

/** Ends a program in a way that lets it clean up, and lets go of it if that does not end it. */
export async function stop(channel: GuestChannel, program: Program): Promise<void> {
  program.kill('SIGTERM')
  const timers = [
    setTimeout(() => program.destroy(), cleanUpMs),
    setTimeout(() => channel.abandon(program), cleanUpMs + goneMs),
  ]
  await program.ended.catch(() => {}) // the guest is gone, and what it had begun with it
  for (const timer of timers) clearTimeout(timer)
}

/** Tells the caller how far it is; what that throws is the caller's. */
export function teller({ onProgress }: Copying): (more: number, entries: number) => void {
  let bytes = 0
  return (more, entries) => {
    bytes += more
    try {
      onProgress?.({ bytes, entries })
    } catch (cause) {
      throw new ThrownByCaller('The function for the progress has thrown', { cause })
    }
  }
}

/** The end of what a program complains of, kept short. */
async function complaintsOf(program: Program): Promise<string> {
  let text = ''
  for await (const bytes of program.stderr) text = (text + Buffer.from(bytes).toString('utf8')).slice(-2_000)
  return text.trim()
}

/** What an ending other than a good one means. */
export function failureOf({ exitCode, signal }: ProgramEnd, said: string, path: string): BoxError {
  const [code, what] = told[exitCode ?? 0] ?? ['GUEST_UNREACHABLE', 'could not be copied']
  const isFull = said.includes('No space left on device')
  const message = `${path} ${what}${said === '' ? '' : `: ${said}`}${signal === undefined ? '' : ` (${signal})`}`
  return new BoxError(isFull ? 'NO_SPACE' : code, message, { details: { path } })
}

function asCopyError(error: unknown, signal: AbortSignal | undefined, path: string): unknown {
  if (error instanceof ThrownByCaller) return error.cause
  if (signal?.aborted) return new BoxError('ABORTED', `The copy of ${path} was given up`, { cause: error })
  if (BoxError.is(error)) return error
  const { code } = error as NodeJS.ErrnoException
  const message = `${path} could not be copied: ${(error as Error).message}`
  const details = { path }
  if (code === 'ENOENT') return new BoxError('NOT_FOUND', message, { cause: error, details })
  if (code === 'ENOSPC') return new BoxError('NO_SPACE', message, { cause: error, details })
  if ((error as Error).name === 'ChannelError')
    return new BoxError('GUEST_UNREACHABLE', message, { cause: error, details })
  return new BoxError('INVALID_ARGUMENT', message, { cause: error, details })
}
