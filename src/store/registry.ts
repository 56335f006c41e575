import {
  BoxError,
  type ExecutionHead,
  type Head,
  isExecutionHead,
  isStream,
  partsOf,
  type StreamHead,
  safeIdPattern,
} from '../machines/index.ts'
import { type Entry, isOver, nameOf, type Placed } from './entry.ts'
import type { Append, Parked } from './ledger.ts'
import type { Loaded } from './load.ts'

/** Latest time of a transition, in `ms since 1970`: its deadlines have to be dates as well. */
const latest = 8e15

/**
 * What the appender has to know to accept a transition: heads and names as they are on the disk, and the claims of
 * transitions on their way there. Only one appender exists, so a check here is a check of the ledger.
 */
export class Registry {
  heads = new Map<string, StreamHead>()
  parked = new Map<string, Parked>()
  #names = new Map<string, string>()
  /** how many executions boxes have had */
  #executions = new Map<string, number>()
  /** how many more are on their way to the disk */
  #starting = new Map<string, number>()
  /** streams with a transition under way */
  #pending = new Map<string, Entry>()
  /** names on their way to the disk */
  #claims = new Map<string, string>()

  /** Takes what was read from the disk. Names of parked boxes stay taken. */
  load({ heads, parked, executions, namesOfParked }: Loaded): void {
    this.heads = heads
    this.parked = parked
    this.#executions = executions
    this.#names = new Map(namesOfParked)
    for (const head of heads.values()) {
      const name = nameOf(head)
      if (name !== null) this.#names.set(name, head.box)
    }
  }

  claimant(name: string): string | undefined {
    return this.#claims.get(name) ?? this.#names.get(name)
  }

  *boxes(): Generator<Head> {
    for (const head of this.heads.values()) if (!isExecutionHead(head)) yield head
  }

  box(id: string): Head | undefined {
    const head = this.heads.get(id)
    return head === undefined || isExecutionHead(head) ? undefined : head
  }

  *executions(): Generator<ExecutionHead> {
    for (const head of this.heads.values()) if (isExecutionHead(head)) yield head
  }

  execution(stream: string): ExecutionHead | undefined {
    const head = this.heads.get(stream)
    return head !== undefined && isExecutionHead(head) ? head : undefined
  }

  /** Why a transition cannot be taken, if so. */
  refusal({ box, expectedVersion, transition, at }: Append): BoxError | undefined {
    // Both become part of keys and of bytes that are put together by hand.
    if (!(Number.isSafeInteger(at) && at >= 0 && at <= latest && isStream(box)))
      return new BoxError('INVALID_ARGUMENT', 'A transition needs a time in whole ms and the ID of a box', {
        details: { at, box },
      })
    const parked = this.parked.get(box) ?? this.parked.get(partsOf(box).box)
    if (parked)
      return new BoxError('LEDGER_CORRUPT', `Box ${box} is parked: ${parked.reason}`, {
        details: { box, ...parked },
      })
    const head = this.heads.get(box)
    const actual = head?.version ?? 0
    const isPending = this.#pending.has(box)
    if (actual !== expectedVersion || isPending)
      return new BoxError(
        'WRONG_EXPECTED_VERSION',
        isPending
          ? `Box ${box} has a transition under way`
          : `Box ${box} is at version ${actual}, not ${expectedVersion}`,
        { details: { box, expected: expectedVersion, actual: isPending ? actual + 1 : actual } },
      )
    if (head === undefined && safeIdPattern.test(box) && this.claimant(box) !== undefined)
      return new BoxError('NAME_TAKEN', `${box} is the name of box ${this.claimant(box)}`, {
        details: { name: box, box: this.claimant(box) },
      })
    const name = nameOf(transition)
    return name === null || name === nameOf(head) ? undefined : this.#nameRefusal(name, box)
  }

  /** How many executions a box has had, on the disk. */
  executionsOf(box: string): number {
    return this.#executions.get(box) ?? 0
  }

  /** The same with those that are on their way. */
  executionsBefore({ box }: Append): number {
    const owner = partsOf(box).box
    return this.executionsOf(owner) + (this.#starting.get(owner) ?? 0)
  }

  #nameRefusal(name: string, box: string): BoxError | undefined {
    const isId =
      safeIdPattern.test(name) &&
      (name === box || this.heads.has(name) || this.#pending.has(name) || this.parked.has(name))
    const owner = isId ? name : this.claimant(name)
    if (owner === undefined || (owner === box && !isId)) return undefined
    return new BoxError('NAME_TAKEN', `The name ${name} is taken by box ${owner}`, {
      details: { name, box: owner },
    })
  }

  /** The transition is under way: nobody else gets its box or its name. */
  claim(entry: Entry): void {
    const { box, transition } = entry.append
    this.#pending.set(box, entry)
    this.#countStarting(entry, 1)
    const name = nameOf(transition)
    if (name !== null && name !== nameOf(entry.before)) this.#claims.set(name, box)
  }

  /** The transition is not under way any more, whatever became of it. */
  release(entry: Entry): void {
    const { append, before } = entry
    if (this.#pending.delete(append.box)) this.#countStarting(entry, -1)
    const name = nameOf(append.transition)
    if (name !== null && name !== nameOf(before)) this.#claims.delete(name)
  }

  commit({ entry, head }: Placed): void {
    const before = nameOf(entry.before)
    const name = nameOf(head)
    if (before !== name) {
      if (before !== null) this.#names.delete(before)
      if (name !== null) this.#names.set(name, head.box)
    }
    if (isOver(head)) {
      this.heads.delete(head.box)
      this.#executions.delete(head.box)
    } else this.heads.set(head.box, head)
    const { event } = entry.append.transition
    if (event.type === 'exec.started') this.#executions.set(event.box, this.executionsOf(event.box) + 1)
    this.release(entry)
  }

  #countStarting({ append }: Entry, change: 1 | -1): void {
    const { event } = append.transition
    if (event.type !== 'exec.started') return
    const count = (this.#starting.get(event.box) ?? 0) + change
    if (count === 0) this.#starting.delete(event.box)
    else this.#starting.set(event.box, count)
  }
}
