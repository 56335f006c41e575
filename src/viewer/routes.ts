import type { Layout } from './layout.ts'
import { stateOf } from './paths.ts'
import type { Step } from './story.ts'

/** Which line of the drawing a move goes along. */
export interface Route {
  /** index of the line */
  readonly line: number
  /** against its direction */
  readonly back: boolean
}

/** Finds the lines of moves: a move into or out of a group may go along the line of the whole group. */
export class Routes {
  readonly #lines = new Map<string, number>()
  readonly #groups = new Map<string, string>()

  constructor({ lines, places }: Layout) {
    for (const [index, { from, to }] of lines.entries()) this.#lines.set(key(from, to), index)
    const kinds = new Map(places.map(({ id, kind }) => [id, kind]))
    for (const { id, within } of places)
      if (within !== undefined && kinds.get(within) === 'group') this.#groups.set(id, within)
  }

  /** Undefined: nothing moves, or no line is drawn for it. */
  between(from: string, to: string): Route | undefined {
    if (from === '' || from === to) return undefined
    for (const [a, b] of this.#candidates(from, to)) {
      const line = this.#lines.get(key(a, b))
      if (line !== undefined) return { line, back: false }
      const opposite = this.#lines.get(key(b, a))
      if (opposite !== undefined) return { line: opposite, back: true }
    }
    return undefined
  }

  #candidates(from: string, to: string): [string, string][] {
    const [a, b] = [stateOf(from), stateOf(to)]
    if (a === b) return [[from, to]]
    const [groupA, groupB] = [this.#groups.get(a), this.#groups.get(b)]
    const pairs: [string, string][] = [[a, b]]
    if (groupA === groupB) return pairs
    if (groupA !== undefined) pairs.push([groupA, b])
    if (groupB !== undefined) pairs.push([a, groupB])
    if (groupA !== undefined && groupB !== undefined) pairs.push([groupA, groupB])
    return pairs
  }
}

const key = (from: string, to: string) => `${from}>${to}`

/** The way that a box has gone up to a step, that included. Goes on from where it is, back as well. */
export class Walk {
  readonly #steps: readonly Step[]
  readonly #routes: readonly (Route | undefined)[]
  readonly #lines = new Map<number, number>()
  readonly #places = new Map<string, number>()
  #at = -1

  /** `routes`: of each step. */
  constructor(steps: readonly Step[], routes: readonly (Route | undefined)[]) {
    this.#steps = steps
    this.#routes = routes
  }

  to(index: number): void {
    while (this.#at < index) this.#count(++this.#at, 1)
    while (this.#at > index) this.#count(this.#at--, -1)
  }

  /** How often a line was taken. */
  timesAlong(line: number): number {
    return this.#lines.get(line) ?? 0
  }

  /** How often a state or a stage was entered. */
  timesIn(place: string): number {
    return this.#places.get(place) ?? 0
  }

  #count(index: number, by: 1 | -1): void {
    const step = this.#steps[index]
    if (step === undefined || step.execution !== undefined || step.from === step.to) return
    const line = this.#routes[index]?.line
    if (line !== undefined) this.#lines.set(line, this.timesAlong(line) + by)
    const state = stateOf(step.to)
    if (stateOf(step.from) !== state) this.#places.set(state, this.timesIn(state) + by)
    if (step.to !== state) this.#places.set(step.to, this.timesIn(step.to) + by)
  }
}
