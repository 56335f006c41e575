import { join } from 'node:path'
import { type Boundary, BoxError, type BoxFact, type Head } from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'
import { type RunsOnHost, removeImageLeftovers, removeTemplateLeftovers, settleDrafts } from '../vmm/index.ts'
import { isAtRest, mayHaveVmm } from './look-rules.ts'
import { LostRuns } from './lost-runs.ts'
import { Recovering } from './recovering.ts'

/** What recovery asks of the engine. */
export interface RecoveryWorld {
  readonly home: string
  readonly ledger: Ledger
  readonly runs: RunsOnHost
  readonly boundary: Boundary
  /** asks the host what became of a box's VMM; the answer comes as a fact */
  readonly look: (head: Head) => void
  /** what was under way goes on; `overdue`: when deadlines count that have passed meanwhile */
  readonly goOn: (head: Head, overdue: 'at once' | 'later') => void
  readonly tell: (box: string, fact: BoxFact) => void
  /** records the stop of a box whose owner has ended */
  readonly stop: (box: string, reason: string) => Promise<void>
  /** a box is not recovering any more */
  readonly onRecovered: (head: Head) => void
}

/** Takes up the boxes of an earlier owner: those that may have a VMM are looked at before anything else happens. */
export class Recovery {
  readonly #world: RecoveryWorld
  readonly #recovering = new Recovering()
  #lostRuns: LostRuns | undefined

  constructor(world: RecoveryWorld) {
    this.#world = world
  }

  begin(): void {
    const { home, ledger, runs, boundary } = this.#world
    const isRecorded = (box: string) => ledger.head(box) !== undefined || ledger.parked.has(box)
    settleDrafts(home, isRecorded, boundary)
    removeImageLeftovers(join(home, 'images'), boundary)
    removeTemplateLeftovers(home, boundary)
    const heads = [...ledger.heads()]
    const lostRuns = new LostRuns(
      home,
      runs,
      heads.map(({ box }) => box),
    )
    this.#lostRuns = lostRuns
    const living = new Set(lostRuns.living)
    for (const head of heads) {
      const isSettled = isAtRest(head.state) && !living.has(head.box)
      if (!isSettled && !ledger.parked.has(head.box)) this.#recover(head)
    }
  }

  has(box: string): boolean {
    return this.#recovering.has(box)
  }

  /** Resolves at once for a box that is not recovering. */
  answered(box: string): Promise<void> | undefined {
    return this.#recovering.answered(box)
  }

  /** What the run directories of a box say that the ledger does not know; told once. */
  lostRunsOf(head: Head): BoxFact | undefined {
    return this.#lostRuns?.look(head)
  }

  /** The host has answered: what was under way goes on, and commands may come. */
  answer(box: string): void {
    if (!this.#recovering.end(box)) return
    const head = this.#world.ledger.head(box)
    if (head === undefined) return
    this.#world.boundary('after looking at a box')
    this.#world.onRecovered(head)
    this.#goOn(head, 'later')
  }

  end(): void {
    this.#recovering.endAll()
  }

  #recover(head: Head): void {
    const { box, state } = head
    try {
      const found = this.lostRunsOf(head)
      if (found !== undefined) {
        this.#world.tell(box, found)
        return
      }
    } catch (error) {
      // Its commands are refused for that; what the ledger knows of it is looked at all the same.
      if (!BoxError.is(error)) throw error
    }
    if (isAtRest(state)) return
    const endsWithOwner = state.context.open && !state.context.spec.detach
    if (mayHaveVmm(state)) {
      this.#recovering.begin(box)
      if (endsWithOwner) this.#endOrphan(box)
      this.#world.boundary('before looking at a box')
      this.#world.look(head)
    } else if (endsWithOwner) this.#endOrphan(box)
    else this.#goOn(head, 'at once')
  }

  #goOn(head: Head, overdue: 'at once' | 'later'): void {
    this.#world.boundary('before going on with a box')
    this.#world.goOn(head, overdue)
    this.#world.boundary('after going on with a box')
  }

  /** Its stop is recorded before the host is asked, and so colours whatever is found. */
  #endOrphan(box: string): void {
    this.#world.stop(box, 'Its owner ended, and the box was not to outlive it').catch(error => {
      if (!BoxError.is(error)) throw error
    })
  }
}
