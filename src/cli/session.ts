import { setTimeout as delay } from 'node:timers/promises'
import { BoxError, BoxRuntime } from '../index.ts'
import { exitCodeOf, tellFailure } from './failure.ts'
import { Interruption, interruptionOf } from './interrupt.ts'
import type { Output } from './output.ts'

/** What is asked for before the verb. */
export interface GlobalOptions {
  readonly home?: string
  readonly json?: boolean
}

/** What a verb works with. */
export interface Session {
  readonly runtime: BoxRuntime
  readonly output: Output
  readonly json: boolean
  /** fires when the command is to end before it is done */
  readonly signal: AbortSignal
}

/** The end of a verb: its exit code, 0 if there is nothing else to say. */
export type Work = (session: Session) => Promise<number | undefined>

/** How long another command may have the home before this one gives up, in `ms`. */
const patienceMs = 10_000

/** Opens the home, works, closes it whatever happens; gives the exit code. */
export async function withHome(
  { home, json = false }: GlobalOptions,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
  work: Work,
): Promise<number> {
  try {
    await using runtime = await openHome(signal, {
      ...(home === undefined ? {} : { home }),
      // Among JSON on stderr there is no room for prose.
      ...(json ? {} : { onProgress: message => output.note(message) }),
    })
    const code = await work({ runtime, output, json, signal })
    return interruptionOf(signal)?.exitCode ?? code ?? 0
  } catch (error) {
    const interruption = interruptionOf(signal)
    if (interruption !== undefined && isAbort(error)) return interruption.exitCode
    tellFailure(output, json, error)
    return exitCodeOf(error)
  }
}

type OpenOptions = NonNullable<Parameters<typeof BoxRuntime.open>[0]>

/** Commands have a home for moments only: whoever comes meanwhile waits for a turn. */
async function openHome(signal: AbortSignal, options: OpenOptions): Promise<BoxRuntime> {
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      return await BoxRuntime.open(options)
    } catch (error) {
      if (!BoxError.is(error, 'ENGINE_LOCKED') || performance.now() >= end) throw error
      await delay(20 + Math.random() * 60, undefined, { signal })
    }
  }
}

/** What a wait rejects with when its signal fires. */
function isAbort(error: unknown): boolean {
  if (error instanceof Interruption || BoxError.is(error, 'ABORTED')) return true
  return error instanceof Error && error.name === 'AbortError'
}
