import type { Incarnation } from './incarnation.ts'
import type { Watch } from './watch.ts'

/** An effect at work. */
export interface Task {
  readonly box: Incarnation
  readonly watch: Watch
  /** fires when the outcome is not waited for any more */
  readonly signal: AbortSignal
  /** an earlier engine may have begun it */
  readonly recovered: boolean
  /** Finds an incarnation of an earlier engine; false if it is not there to be worked on, which has been told. */
  attach(): Promise<boolean>
  /** The same without asking the VMM itself, which may be the one thing that does not answer. */
  find(): Promise<boolean>
  /** Resolves when no spawn is under way. */
  spawned(): Promise<void>
}
