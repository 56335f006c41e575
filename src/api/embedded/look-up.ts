import { type BoxInfo, type Engine, find, findExact, infoOfParked, notFound } from '../../engine/index.ts'
import { type Head, safeIdPattern } from '../../machines/index.ts'
import { checkIdOrName } from '../id-or-name.ts'
import type { ListFilter } from '../runtime-options.ts'

/** Finds a home's boxes, those included whose heads are damaged, so that nobody takes them for gone. */
export class LookUp {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** ID of a living box; undefined: there is none. */
  living(idOrName: string): string | undefined {
    checkIdOrName(idOrName)
    const head = find(this.#engine.projections, idOrName)
    if (head !== undefined) return head.box
    const parked = this.#engine.ledger.parked.get(idOrName)
    return parked !== undefined && !parked.removed && safeIdPattern.test(idOrName) ? idOrName : undefined
  }

  /** ID of a box whose history is asked for: a removed one by its ID. */
  async any(idOrName: string): Promise<string> {
    const id = this.living(idOrName)
    // A parked box may have no head: that it is damaged says more than that it is not found.
    const isParked = safeIdPattern.test(idOrName) && this.#engine.ledger.parked.has(idOrName)
    if (id !== undefined || isParked) return id ?? idOrName
    const head = await this.#engine.ledger.removedHead(idOrName)
    if (head === undefined) throw notFound(idOrName)
    return head.box
  }

  /**
   * ID of the box that a command is for, by its whole ID or name. A command that was given before is for the box that
   * it was for then, though its name be gone, or another's by now.
   */
  async target(idOrName: string, commandId: string | undefined): Promise<string> {
    checkIdOrName(idOrName)
    const { ledger, projections } = this.#engine
    const found = findExact(projections, idOrName)?.box
    const before = commandId === undefined ? undefined : await ledger.command(commandId)
    if (before !== undefined && before.box !== found) {
      const { box, position } = before
      if (found === undefined || box === idOrName) return box
      if ((await this.#nameBefore(box, position)) === idOrName) return box
    }
    if (found === undefined) throw notFound(idOrName)
    return found
  }

  infoOf(id: string): BoxInfo | undefined {
    const head = this.#engine.ledger.head(id)
    return head === undefined ? this.#unread().find(info => info.id === id) : this.#engine.info(head)
  }

  /** Newest first; those of which nothing can be read come last, by ID. */
  all(): BoxInfo[] {
    return [...this.#infos(this.#engine.projections.list()), ...this.#unread()]
  }

  async list(filter: ListFilter): Promise<BoxInfo[]> {
    const { states, names, labels, after, limit = Number.POSITIVE_INFINITY } = filter
    const unread = this.#unread()
    const isUnread = unread.some(({ id }) => id === after)
    const listed = isUnread ? [] : this.#infos(await this.#heads(filter))
    if (names !== undefined || labels !== undefined || (states !== undefined && !states.includes('unknown')))
      return listed
    const rest = isUnread ? unread.filter(({ id }) => id > (after ?? '')) : unread
    return [...listed, ...rest].slice(0, limit)
  }

  /** A page may begin behind a box that was removed since the page before. */
  async #heads({ after, ...filter }: ListFilter): Promise<Head[]> {
    const { ledger, projections } = this.#engine
    if (after === undefined) return projections.list(filter)
    const last = ledger.head(after) ?? (await ledger.removedHead(after))
    return last === undefined ? [] : projections.list({ ...filter, after: last.createdPosition })
  }

  #infos(heads: readonly Head[]): BoxInfo[] {
    return heads.map(head => this.#engine.info(head))
  }

  #unread(): BoxInfo[] {
    const { ledger } = this.#engine
    return [...ledger.parked]
      .filter(([id, { removed }]) => !removed && safeIdPattern.test(id) && ledger.head(id) === undefined)
      .map(([id, why]) => infoOfParked(id, why))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async #nameBefore(box: string, position: number): Promise<string | null> {
    let name: string | null = null
    for await (const { event, position: at } of this.#engine.ledger.history(box)) {
      if (at >= position) break
      if (event.type === 'box.created' || event.type === 'box.renamed') name = event.name
    }
    return name
  }
}
