import { join } from '../api/socket/join.ts'
import { BoxError, type BoxRuntime, type OpenOptions } from '../index.ts'
import { exitCodeOf, tellFailure } from './failure.ts'
import { Interruption, interruptionOf } from './interrupt.ts'
import type { Output } from './output.ts'

/** What is asked for before the verb. */
export interface GlobalOptions {
  readonly home?: string | undefined
  readonly json?: boolean
}

/** What a verb works with. */
export interface Session {
  readonly runtime: BoxRuntime
  readonly output: Output
  readonly json: boolean
  /** whether this process owns the home */
  readonly owns: () => boolean
  /** fires when the command is to end before it is done */
  readonly signal: AbortSignal
}

/** The end of a verb: its exit code, 0 if there is nothing else to say. */
export type Work = (session: Session) => Promise<number | undefined>

/** Joins the home, as its owner or served by it, works, leaves it whatever happens; gives the exit code. */
export async function withHome(
  { home, json = false }: GlobalOptions,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
  work: Work,
): Promise<number> {
  try {
    await using joined = await join(openOptionsOf({ home, json }, output), signal)
    const { runtime, owns } = joined
    const code = await work({ runtime, owns, output, json, signal })
    return interruptionOf(signal)?.exitCode ?? code ?? 0
  } catch (error) {
    const interruption = interruptionOf(signal)
    if (interruption !== undefined && isAbort(error)) return interruption.exitCode
    tellFailure(output, json, error)
    return exitCodeOf(error)
  }
}

export function openOptionsOf({ home, json }: GlobalOptions, output: Output): OpenOptions {
  return {
    ...(home === undefined ? {} : { home }),
    // Among JSON on stderr there is no room for prose.
    ...(json ? {} : { onProgress: message => output.note(message) }),
  }
}

/** What a wait rejects with when its signal fires. */
function isAbort(error: unknown): boolean {
  if (error instanceof Interruption || BoxError.is(error, 'ABORTED')) return true
  return error instanceof Error && error.name === 'AbortError'
}
