import type { Step } from './story.ts'

/** Finds steps by what they say. */
export class Search {
  readonly #steps: readonly Step[]
  #texts: readonly string[] | undefined

  constructor(steps: readonly Step[]) {
    this.#steps = steps
  }

  /** Indexes of the steps that have all the words, in any case; all steps, if there are none. */
  find(query: string): number[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const all = this.#steps.map((_, index) => index)
    if (words.length === 0) return all
    // Made when it is needed: a long story opens without.
    this.#texts ??= this.#steps.map(textOf)
    return all.filter(index => words.every(word => this.#texts?.[index]?.includes(word)))
  }
}

function textOf({ event, words, from, to, version, position, ...step }: Step): string {
  return [
    from === to ? to : `${from} → ${to}`,
    words,
    `v${version} p${position}`,
    step.execution ?? '',
    step.actor ?? '',
    step.commandId ?? '',
    ...step.effects.map(({ type }) => type),
    JSON.stringify(event),
  ]
    .join('\n')
    .toLowerCase()
}
