import { createStore } from '@xstate/store'
import {
  type Head,
  isExecutionHead,
  type PublicState,
  publicStateOf,
  type StreamHead,
} from '../machines/index.ts'

export interface ListFilter {
  readonly states?: readonly PublicState[]
  readonly names?: readonly string[]
  /** each of them, with this value */
  readonly labels?: Readonly<Record<string, string>>
  readonly limit?: number
  /** the box to continue behind: its ID, or the position of its creation, which serves after its removal too */
  readonly after?: string | number
}

const leastPrefix = 4

/** Store of which only the revision counts: the maps beside it are changed in place, since copying them costs all. */
function newRevisionStore() {
  return createStore({
    context: { revision: 0 },
    on: { changed: context => ({ revision: context.revision + 1 }) },
  })
}

/**
 * Look-ups derived from heads: by ID, name, state and label. Removed boxes are not in them. Always rebuildable, by
 * `load`.
 *
 * ```ts
 * const projections = new Projections()
 * projections.load(ledger.heads())
 * ledger.onCommit(committed => projections.apply(committed.map(({ head }) => head)))
 * projections.byName('web')?.box
 * ```
 */
export class Projections {
  /** tells its subscribers after each change; its context is the revision */
  readonly store = newRevisionStore()
  /** by ID, in the order of creation */
  readonly #heads = new Map<string, Head>()
  readonly #names = new Map<string, string>()
  readonly #states = new Map<PublicState, Set<string>>()
  readonly #labels = new Map<string, Set<string>>()

  get size(): number {
    return this.#heads.size
  }

  get revision(): number {
    return this.store.getSnapshot().context.revision
  }

  /** Begins anew with these heads. */
  load(heads: Iterable<Head>): void {
    for (const map of [this.#heads, this.#names, this.#states, this.#labels]) map.clear()
    const inOrder = [...heads].sort((a, b) => a.createdPosition - b.createdPosition)
    for (const head of inOrder) this.#put(head)
    this.store.send({ type: 'changed' })
  }

  /** Takes what became of boxes, in the order of positions. What it knows already it passes over; executions too. */
  apply(changed: StreamHead | Iterable<StreamHead>): void {
    for (const head of Symbol.iterator in changed ? changed : [changed])
      if (!isExecutionHead(head)) this.#put(head)
    this.store.send({ type: 'changed' })
  }

  get(id: string): Head | undefined {
    return this.#heads.get(id)
  }

  byName(name: string): Head | undefined {
    const id = this.#names.get(name)
    return id === undefined ? undefined : this.#heads.get(id)
  }

  /** IDs that begin so, in the order of creation; none for a prefix of fewer than 4 characters. */
  byPrefix(prefix: string): string[] {
    if (prefix.length < leastPrefix) return []
    return [...this.#heads.keys()].filter(id => id.startsWith(prefix))
  }

  /** Newest first, by the position of creation. Nothing stands behind an ID that is not known. */
  list({ states, names, labels, limit = Number.POSITIVE_INFINITY, after }: ListFilter = {}): Head[] {
    const last = typeof after === 'string' ? this.#heads.get(after)?.createdPosition : after
    if (after !== undefined && last === undefined) return []
    const found: Head[] = []
    for (const head of this.#candidates(states, names, labels)) {
      if (found.length >= limit) break
      if (last !== undefined && head.createdPosition >= last) continue
      if (matches(head, states, names, labels)) found.push(head)
    }
    return found
  }

  countByState(): Partial<Record<PublicState, number>> {
    const counts: Partial<Record<PublicState, number>> = {}
    for (const [state, ids] of this.#states) if (ids.size > 0) counts[state] = ids.size
    return counts
  }

  /** Heads that may match, newest first, from the narrowest look-up that serves. */
  #candidates(
    states: readonly PublicState[] | undefined,
    names: readonly string[] | undefined,
    labels: Readonly<Record<string, string>> | undefined,
  ): Head[] {
    const narrow: Iterable<string>[] = []
    if (names) narrow.push(names.flatMap(name => this.#names.get(name) ?? []))
    for (const [key, value] of Object.entries(labels ?? {}))
      narrow.push(this.#labels.get(labelOf(key, value)) ?? [])
    if (states) narrow.push(states.flatMap(state => [...(this.#states.get(state) ?? [])]))
    const ids = narrow.map(each => new Set(each)).sort((a, b) => a.size - b.size)[0]
    if (ids === undefined) return [...this.#heads.values()].reverse()
    return [...ids]
      .flatMap(id => this.#heads.get(id) ?? [])
      .sort((a, b) => b.createdPosition - a.createdPosition)
  }

  #put(head: Head): void {
    const before = this.#heads.get(head.box)
    if (before && before.version >= head.version) return
    const state = publicStateOf(head.state.value)
    if (before) this.#unlist(before)
    if (state === 'removed') {
      this.#heads.delete(head.box)
      return
    }
    this.#heads.set(head.box, head)
    const { name, labels } = head.state.context
    if (name !== null) this.#names.set(name, head.box)
    add(this.#states, state, head.box)
    for (const [key, value] of Object.entries(labels)) add(this.#labels, labelOf(key, value), head.box)
  }

  #unlist({ box, state }: Head): void {
    const { name, labels } = state.context
    if (name !== null && this.#names.get(name) === box) this.#names.delete(name)
    this.#states.get(publicStateOf(state.value))?.delete(box)
    for (const [key, value] of Object.entries(labels)) {
      const label = labelOf(key, value)
      const ids = this.#labels.get(label)
      ids?.delete(box)
      if (ids?.size === 0) this.#labels.delete(label)
    }
  }
}

/** No key of a label holds a NUL. */
function labelOf(key: string, value: string): string {
  return `${key}\0${value}`
}

function add<K>(map: Map<K, Set<string>>, key: K, id: string): void {
  const ids = map.get(key)
  if (ids) ids.add(id)
  else map.set(key, new Set([id]))
}

function matches(
  { state: { value, context } }: Head,
  states: readonly PublicState[] | undefined,
  names: readonly string[] | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return (
    (states === undefined || states.includes(publicStateOf(value))) &&
    (names === undefined || (context.name !== null && names.includes(context.name))) &&
    Object.entries(labels ?? {}).every(([key, wanted]) => context.labels[key] === wanted)
  )
}
