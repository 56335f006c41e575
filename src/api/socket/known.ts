import type { BoxInfo } from '../../engine/index.ts'
import { type Head, publicStateOf } from '../../machines/index.ts'

/** Names of boxes that have handles here, as of the last answer about each. */
export class KnownNames {
  readonly #names = new Map<string, string | undefined>()

  get(id: string): string | undefined {
    return this.#names.get(id)
  }

  /** Of a box that gets a handle, or of one that is known. */
  see({ box, state }: Head): void {
    if (publicStateOf(state.value) === 'removed') this.#names.delete(box)
    else this.#names.set(box, state.context.name ?? undefined)
  }

  /** What any answer tells of a box that is known. */
  tell<T extends BoxInfo | undefined>(info: T): T {
    if (info === undefined || !this.#names.has(info.id)) return info
    if (info.state === 'removed') this.#names.delete(info.id)
    else this.#names.set(info.id, info.name)
    return info
  }
}
