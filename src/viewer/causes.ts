import type { Step } from './story.ts'

/** Most causes, and most consequences, that are told at once */
const most = 12

/** Which step led to which. */
export class Causes {
  readonly #at = new Map<number, Step>()
  readonly #after = new Map<number, Step[]>()

  constructor(steps: readonly Step[]) {
    for (const step of steps) {
      this.#at.set(step.position, step)
      if (step.cause === undefined) continue
      const others = this.#after.get(step.cause)
      if (others === undefined) this.#after.set(step.cause, [step])
      else others.push(step)
    }
  }

  at(position: number): Step | undefined {
    return this.#at.get(position)
  }

  /** The chain of causes, nearest first. */
  before(step: Step): Step[] {
    const chain: Step[] = []
    let cause = step.cause
    while (cause !== undefined && chain.length < most) {
      const found = this.#at.get(cause)
      // A cause is always an earlier record, so that a chain ends.
      if (found === undefined || found.position >= (chain.at(-1) ?? step).position) break
      chain.push(found)
      cause = found.cause
    }
    return chain
  }

  /** What it led to itself. */
  after(step: Step): Step[] {
    return (this.#after.get(step.position) ?? []).slice(0, most)
  }
}
