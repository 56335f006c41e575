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

/** The way that a box has gone up to a step, that included. */
export interface Walk {
  /** how often each line was taken */
  readonly lines: ReadonlyMap<number, number>
  /** how often each state and stage was entered */
  readonly places: ReadonlyMap<string, number>
}

export function walkTo(steps: readonly Step[], routes: readonly (Route | undefined)[], last: number): Walk {
  const lines = new Map<number, number>()
  const places = new Map<string, number>()
  const count = <K>(counts: Map<K, number>, of: K) => counts.set(of, (counts.get(of) ?? 0) + 1)
  for (let index = 0; index <= last; index += 1) {
    const step = steps[index]
    if (step === undefined || step.execution !== undefined || step.from === step.to) continue
    const route = routes[index]
    if (route !== undefined) count(lines, route.line)
    if (stateOf(step.from) !== stateOf(step.to)) count(places, stateOf(step.to))
    if (step.to.includes('.')) count(places, step.to)
  }
  return { lines, places }
}
