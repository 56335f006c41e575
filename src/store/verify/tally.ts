import { randomBytes } from 'node:crypto'

/** characters of a hash in hex that make up one of its words */
const wordLength = 8
const words = 8

/** What sums are made with that are held against each other: nobody can know it beforehand, and fit damage to it. */
export type TallySecret = Int32Array

export function newTallySecret(): TallySecret {
  return Int32Array.from({ length: words + 2 }, () => randomBytes(4).readInt32LE())
}

/**
 * A sum of what was added, in whatever order: two are the same only when the same was added to both. So a list that lies in
 * one order is held against one that lies in another, and neither is kept. What is summed up, word by word, are the hashes
 * of bodies, each mixed with the key that it belongs to.
 */
export class Tally {
  readonly #secret: TallySecret
  readonly #sums = new Int32Array(words)

  constructor(secret: TallySecret) {
    this.#secret = secret
  }

  /** A body's key, and the hash of what is to be there. */
  add(key: string, hash: string): void {
    const secret = this.#secret
    const sums = this.#sums
    let one = secret[words] as number
    let other = secret[words + 1] as number
    for (let at = 0; at < key.length; at += 1) {
      one = Math.imul(one ^ key.charCodeAt(at), 0x01000193)
      other = Math.imul(other ^ one, 0x85ebca6b) ^ (other >>> 13)
    }
    for (let word = 0, at = 0; word < words; word += 1) {
      let value = one ^ (secret[word] as number)
      for (const end = at + wordLength; at < end; at += 1)
        value = Math.imul(value ^ hash.charCodeAt(at), 0x01000193)
      value = Math.imul(value ^ (value >>> 16) ^ other, 0x85ebca6b)
      value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
      sums[word] = (sums[word] as number) + (value ^ (value >>> 16))
    }
  }

  isSameAs(tally: Tally): boolean {
    return this.#sums.every((sum, word) => sum === tally.#sums[word])
  }
}
