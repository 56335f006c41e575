import { BoxError, type BoxFact, type Head } from '../machines/index.ts'
import type { LivingVmm, RunsOnHost } from '../vmm/index.ts'

/**
 * Incarnations that the ledger does not know, since it has lost its end or was put back from a copy. Their numbers are
 * never used again, and their VMMs are not left alone.
 */
export class LostRuns {
  readonly #home: string
  readonly #runs: RunsOnHost
  readonly #living: ReadonlyMap<string, LivingVmm>
  /** boxes whose run directories have not been looked at yet */
  readonly #unseen: Set<string>

  constructor(home: string, runs: RunsOnHost, boxes: Iterable<string>) {
    this.#home = home
    this.#runs = runs
    this.#unseen = new Set(boxes)
    const living = new Map<string, LivingVmm>()
    for (const vmm of runs.living(home))
      if (vmm.incarnation > (living.get(vmm.box)?.incarnation ?? 0)) living.set(vmm.box, vmm)
    this.#living = living
  }

  /** Boxes with a VMM that runs. */
  get living(): Iterable<string> {
    return this.#living.keys()
  }

  /**
   * Looks at a box's run directories, until the ledger knows them all; the fact to be recorded if it does not. Throws
   * `ENGINE_FAILED` where it cannot be told.
   */
  look({ box, state: { context } }: Head): BoxFact | undefined {
    if (!this.#unseen.has(box)) return undefined
    const vmm = this.#living.get(box)
    const incarnation = Math.max(this.#highestRun(box), vmm?.incarnation ?? 0)
    if (incarnation <= context.incarnation) {
      this.#unseen.delete(box)
      return undefined
    }
    const process = vmm?.incarnation === incarnation ? vmm.process : null
    const lives = process !== null || this.#runs.mayLive(this.#home, box, incarnation)
    return { type: 'incarnation.found', incarnation, process, lives }
  }

  #highestRun(box: string): number {
    try {
      return this.#runs.highest(this.#home, box)
    } catch (cause) {
      const { message } = cause as Error
      throw new BoxError('ENGINE_FAILED', `The run directories of box ${box} cannot be read: ${message}`, {
        details: { box },
        cause,
      })
    }
  }
}
