import { sha256 } from '../codec.ts'

/**
 * A sum of what was added, in whatever order: two are the same when the same was added to both, as surely as a hash tells
 * it. So a list that lies in one order is held against one that lies in another, and neither is kept.
 */
export class Tally {
  #sum = 0n

  /** A body's key, and the hash of what is to be there. */
  add(key: string, hash: string): void {
    this.#sum += BigInt(`0x${sha256(key + hash)}`)
  }

  isSameAs(other: Tally): boolean {
    return this.#sum === other.#sum
  }
}
