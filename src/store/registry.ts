import { BoxError, type Head, safeIdPattern } from '../machines/index.ts'
import { type Entry, isRemoved, nameOf, type Placed } from './entry.ts'
import type { Append, Parked } from './ledger.ts'
import type { Loaded } from './load.ts'

/** Latest time of a transition, in `ms since 1970`: its deadlines have to be dates as well. */
const latest = 8e15

/**
 * What the appender has to know to accept a transition: heads and names as they are on the disk, and the claims of
 * transitions on their way there. Only one appender exists, so a check here is a check of the ledger.
 */
export class Registry {
  heads = new Map<string, Head>()
  parked = new Map<string, Parked>()
  #names = new Map<string, string>()
  /** boxes with a transition under way */
  #pending = new Map<string, Entry>()
  /** names on their way to the disk */
  #claims = new Map<string, string>()

  /** Takes what was read from the disk. Names of parked boxes stay taken. */
  load({ heads, parked, namesOfParked }: Loaded): void {
    this.heads = heads
    this.parked = parked
    this.#names = new Map(namesOfParked)
    for (const head of heads.values()) {
      const name = nameOf(head)
      if (name !== null) this.#names.set(name, head.box)
    }
  }

  claimant(name: string): string | undefined {
    return this.#claims.get(name) ?? this.#names.get(name)
  }

  /** Why a transition cannot be taken, if so. */
  refusal({ box, expectedVersion, transition, at }: Append): BoxError | undefined {
    // Both become part of keys and of bytes that are put together by hand.
    if (!(Number.isSafeInteger(at) && at >= 0 && at <= latest && safeIdPattern.test(box)))
      return new BoxError('INVALID_ARGUMENT', 'A transition needs a time in whole ms and the ID of a box', {
        details: { at, box },
      })
    const parked = this.parked.get(box)
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
    if (head === undefined && this.claimant(box) !== undefined)
      return new BoxError('NAME_TAKEN', `${box} is the name of box ${this.claimant(box)}`, {
        details: { name: box, box: this.claimant(box) },
      })
    const name = nameOf(transition)
    return name === null || name === nameOf(head) ? undefined : this.#nameRefusal(name, box)
  }

  #nameRefusal(name: string, box: string): BoxError | undefined {
    const isId = name === box || this.heads.has(name) || this.#pending.has(name) || this.parked.has(name)
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
    const name = nameOf(transition)
    if (name !== null && name !== nameOf(entry.before)) this.#claims.set(name, box)
  }

  /** The transition is not under way any more, whatever became of it. */
  release({ append, before }: Entry): void {
    this.#pending.delete(append.box)
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
    if (isRemoved(head)) this.heads.delete(head.box)
    else this.heads.set(head.box, head)
    this.release(entry)
  }
}
