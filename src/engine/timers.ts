import { type BoxState, publicStateOf, type Timer } from '../machines/index.ts'
import type { Clock } from './world.ts'

/** A deadline that passed while nobody was looking is held back this long, so that a look at the world comes first, in `ms`. */
const overdueGrace = 1_000

/** A start that was cut off has some time to go on, even if it should be over by now, in `ms`. */
const startGrace = 10_000

/** Arms what the heads hold; the truth about deadlines is in the ledger. */
export class Timers {
  readonly #clock: Clock
  readonly #fire: (box: string, timer: string) => void
  readonly #armed = new Map<string, Map<string, { dueAt: number; handle: unknown }>>()

  constructor(clock: Clock, fire: (box: string, timer: string) => void) {
    this.#clock = clock
    this.#fire = fire
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
    const armed = this.#armed.get(box) ?? new Map()
    if (armed.has(id)) return
    const wait = Math.max(dueAt - this.#clock.now(), leastMs)
    armed.set(id, { dueAt, handle: this.#clock.setTimeout(() => this.#expire(box, id, dueAt), wait) })
    this.#armed.set(box, armed)
  }

  /** A wait can end early where it was longer than a timer can hold, or the clock went back. */
  #expire(box: string, id: string, dueAt: number): void {
    this.#armed.get(box)?.delete(id)
    if (this.#clock.now() < dueAt) this.#arm(box, { id, dueAt }, 0)
    else this.#fire(box, id)
  }
}
