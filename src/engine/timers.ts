import { type BoxFact, type BoxState, publicStateOf, type Timer } from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'
import type { Clock } from './world.ts'

/** A deadline that passed while nobody was looking is held back this long, so that a look at the world comes first, in `ms`. */
const overdueGrace = 1_000

/** A start that was cut off has some time to go on, even if it should be over by now, in `ms`. */
const startGrace = 10_000

interface Armed {
  /** in `ms since 1970` */
  readonly dueAt: number
  /** the same by the clock that nobody sets: once begun, a wait becomes neither longer nor shorter */
  readonly until: number
  handle: unknown
}

export interface TimersOptions {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly tell: (box: string, fact: BoxFact) => void
}

/** Arms what the heads hold; the truth about deadlines is in the ledger. */
export class Timers {
  readonly #clock: Clock
  readonly #ledger: Ledger
  readonly #tell: (box: string, fact: BoxFact) => void
  readonly #armed = new Map<string, Map<string, Armed>>()

  constructor({ clock, ledger, tell }: TimersOptions) {
    this.#clock = clock
    this.#ledger = ledger
    this.#tell = tell
  }

  /** Makes the armed timers of a box those of its state. */
  follow(box: string, state: BoxState, overdue: 'at once' | 'later' = 'at once'): void {
    const armed = this.#armed.get(box)
    if (armed === undefined && Object.keys(state.timers).length === 0) return
    for (const [id, { dueAt, handle }] of armed ?? []) {
      if (state.timers[id]?.dueAt === dueAt) continue
      this.#clock.clearTimeout(handle)
      armed?.delete(id)
    }
    const late = publicStateOf(state.value) === 'starting' ? startGrace : overdueGrace
    const leastMs = overdue === 'later' ? late : 0
    for (const timer of Object.values(state.timers)) this.#arm(box, timer, leastMs)
    if (this.#armed.get(box)?.size === 0) this.#armed.delete(box)
  }

  clear(): void {
    for (const armed of this.#armed.values())
      for (const { handle } of armed.values()) this.#clock.clearTimeout(handle)
    this.#armed.clear()
  }

  #arm(box: string, { id, dueAt }: Timer, leastMs: number): void {
    const armed = this.#armed.get(box) ?? new Map<string, Armed>()
    if (armed.has(id)) return
    const wait = Math.max(dueAt - this.#clock.now(), leastMs)
    const timer: Armed = { dueAt, until: this.#clock.monotonic() + wait, handle: undefined }
    armed.set(id, timer)
    this.#armed.set(box, armed)
    this.#sleep(timer, () => {
      armed.delete(id)
      const head = this.#ledger.head(box)
      if (head === undefined) return
      this.#tell(box, { type: 'timer.fired', timer: id, incarnation: head.state.context.incarnation })
    })
  }

  /** A wait may be longer than a timer can hold. */
  #sleep(timer: Armed, over: () => void): void {
    const left = timer.until - this.#clock.monotonic()
    timer.handle = this.#clock.setTimeout(() => {
      if (this.#clock.monotonic() < timer.until) this.#sleep(timer, over)
      else over()
    }, left)
  }
}
