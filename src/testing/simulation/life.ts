import type { Clock } from '../../engine/index.ts'

/** One run of an engine, from its opening to its death: what it has under way dies with it. */
export class Life {
  /** the base clock, as long as this life lasts */
  readonly clock: Clock
  /** rejects when it ends */
  readonly ended: Promise<never>
  readonly number: number
  #isOver = false
  #end: (reason: Error) => void = () => {}

  constructor(number: number, clock: Clock) {
    this.number = number
    this.ended = new Promise<never>((_, reject) => {
      this.#end = reject
    })
    // Nobody may be waiting for anything when it ends.
    this.ended.catch(() => {})
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimeout: (callback, ms) =>
        clock.setTimeout(() => {
          if (!this.#isOver) callback()
        }, ms),
      clearTimeout: handle => clock.clearTimeout(handle),
    }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  end(): void {
    this.#isOver = true
    this.#end(new LifeOver())
  }
}

/** The engine died before it could answer. */
export class LifeOver extends Error {
  override readonly name = 'LifeOver'

  constructor() {
    super('The engine died before it answered')
  }
}

/** Never settles. Each its own: one for all would keep alive, for good, whoever waits for it. */
export function never(): Promise<never> {
  return new Promise(() => {})
}
