import type { Command } from 'commander'
import type { Output } from './output.ts'
import type { Work } from './session.ts'

/** What a verb's file is given to add itself. */
export interface Cli {
  readonly program: Command
  /** runs the verb's work on the home that was asked for */
  readonly onHome: (work: Work) => Promise<void>
  /** runs work that opens no home */
  readonly alone: (work: (alone: Alone) => Promise<void>) => Promise<void>
}

export interface Alone {
  readonly home: string | undefined
  readonly json: boolean
  readonly output: Output
  readonly signal: AbortSignal
}
