import type { Clock } from '../../engine/index.ts'
import { type HeapTimer, TimerHeap } from './timer-heap.ts'

/** Sunday 1 January 2040, 00:00 UTC: a time that nobody takes for today. */
const beginning = Date.UTC(2040, 0, 1)

/**
 * Time that passes only when told. Timers of one moment fire in the order in which they were set, one by one, and
 * after each everything that it set off runs to its end. It serves the engine (`clock`) as well as XState's actors.
 *
 * @example
 * const clock = new VirtualClock()
 * clock.setTimeout(() => console.log('an hour later'), 3_600_000)
 * await clock.advance(3_600_000)
 */
export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap()
  #monotonic = 0
  #wall: number
  #number = 0

  /** `now`: in `ms since 1970` */
  constructor(now: number = beginning) {
    this.#wall = now
  }

  now = (): number => this.#wall + this.#monotonic

  monotonic = (): number => this.#monotonic

  /** A part of a millisecond counts as a whole one. */
  setTimeout = (callback: () => void, ms: number): unknown => {
    const at = this.#monotonic + Math.max(0, Math.ceil(ms))
    const timer: HeapTimer = { at, number: this.#number++, callback, isSet: true }
    this.#timers.push(timer)
    return timer
  }

  clearTimeout = (handle: unknown): void => {
    if (isTimer(handle)) this.#timers.clear(handle)
  }

  /** How many timers are set and have neither fired nor been cleared. */
  get pending(): number {
    return this.#timers.pending
  }

  /** How long it is until the next timer, in `ms`; undefined: there is none. */
  get next(): number | undefined {
    const timer = this.#timers.peek()
    return timer === undefined ? undefined : timer.at - this.#monotonic
  }

  /** Sets the time of day, as somebody with a wristwatch would: `now` jumps, waits do not. In `ms`, may be negative. */
  setBy(ms: number): void {
    this.#wall += Math.trunc(ms)
  }

  /** Goes to the next timer, fires it, and lets all run that it sets off. False if there is none. */
  async step(): Promise<boolean> {
    const timer = this.#timers.pop()
    if (timer === undefined) return false
    this.#monotonic = timer.at
    timer.callback()
    await atRest()
    return true
  }

  /** Lets so many `ms` pass, and fires what is due meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms
    await atRest()
    while ((this.next ?? Number.POSITIVE_INFINITY) <= end - this.#monotonic) await this.step()
    this.#monotonic = end
  }
}

/** Resolves when every promise that can settle without time or the outside world has settled. */
export function atRest(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function isTimer(handle: unknown): handle is HeapTimer {
  return typeof handle === 'object' && handle !== null && 'isSet' in handle
}
