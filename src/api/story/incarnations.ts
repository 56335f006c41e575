import type { BoxState, Ending } from '../../machines/index.ts'
import type { Incarnation } from '../../viewer/story.ts'

type Told = { -readonly [Field in keyof Incarnation]: Incarnation[Field] }

/** Gathers a box's incarnations while it is folded. */
export class Incarnations {
  readonly #told: Told[] = []

  /** `step`: index of the box's step that led to the state. */
  take(step: number, { context }: BoxState): void {
    const { incarnation, ending } = context
    const last = this.#told.at(-1)
    if (last !== undefined && last.ending === undefined) {
      if (last.number !== incarnation) last.ending = { cause: 'restart', words: '', step }
      else if (ending !== null) last.ending = { cause: ending.cause, words: wordsOf(ending), step }
    }
    if (incarnation === 0 || incarnation === last?.number) return
    if (last !== undefined) last.last = step - 1
    this.#told.push({ number: incarnation, first: step, last: step })
  }

  /** `count`: of all steps. */
  list(count: number): Incarnation[] {
    const last = this.#told.at(-1)
    if (last !== undefined) last.last = count - 1
    return this.#told
  }
}

function wordsOf({ exitCode, vmm, message }: Ending): string {
  return [
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(vmm?.signal === undefined ? [] : [vmm.signal]),
    ...(vmm?.exitCode === undefined ? [] : [`VMM's code ${vmm.exitCode}`]),
    ...(message === undefined ? [] : [message]),
  ].join(', ')
}
