import type { Committed } from './ledger.ts'

export type Listener = (committed: readonly Committed[]) => void

/** Those who hear of commits, in the order they came. */
export class Listeners {
  readonly #listeners = new Set<Listener>()

  /** Gives the way to stop hearing. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(committed: readonly Committed[]): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(committed)
      } catch (error) {
        // A listener's mistake keeps nobody from hearing of the commit, and is not hidden either.
        setImmediate(() => {
          throw error
        })
      }
    }
  }
}
