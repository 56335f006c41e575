import type { BoxInfo } from '../../engine/index.ts'

/** Names of boxes that have handles here, as of the last answer about each. */
export class KnownNames {
  readonly #names = new Map<string, string | undefined>()

  get(id: string): string | undefined {
    return this.#names.get(id)
  }

  set(id: string, name: string | undefined): void {
    this.#names.set(id, name)
  }

  /** What any answer tells of a box that is known. */
  tell<T extends BoxInfo | undefined>(info: T): T {
    if (info === undefined || !this.#names.has(info.id)) return info
    if (info.state === 'removed') this.#names.delete(info.id)
    else this.#names.set(info.id, info.name)
    return info
  }
}
