import { constants } from 'node:os'

/** Why a command ends before it is done; `exitCode` is what it then ends with. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Nobody reads the output any more, as behind `| head`: a quiet and ordinary end. */
export const outputClosed = new Interruption('The output was closed', 0)

/**
 * The first signal asks for an orderly end, so that the home is closed; the second ends at once, which is safe too:
 * nothing was said that is not in the ledger.
 */
export function watchSignals(source: NodeJS.Process): AbortController {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const exitCode = 128 + constants.signals[name]
    source.on(name, () => {
      if (stop.signal.aborted) source.exit(exitCode)
      stop.abort(new Interruption(name, exitCode))
    })
  }
  return stop
}

/** The reason of a signal that has fired, if it is ours. */
export function interruptionOf(signal: AbortSignal): Interruption | undefined {
  return signal.aborted && signal.reason instanceof Interruption ? signal.reason : undefined
}
