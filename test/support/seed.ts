import { randomInt } from 'node:crypto'

export interface Random {
  readonly seed: number
  /** In [0, 1) */
  next(): number
  /** A whole number in [0, limit) */
  below(limit: number): number
  pick<T>(from: readonly T[]): T
}

/** Takes the seed from `BOXLEDGER_SEED`, else a new one, and prints `seed N`, so that a failure can be seen again. */
export const takeSeed = (): number => {
  const given = process.env.BOXLEDGER_SEED
  const seed = given === undefined || given === '' ? randomInt(2 ** 32) : Number(given)
  if (!Number.isInteger(seed))
    throw new Error(`BOXLEDGER_SEED is ${JSON.stringify(given)}; give it a whole number.`)
  process.stdout.write(`\nseed ${seed}\n`)
  return seed
}

/** Repeatable randomness: a counter of golden-ratio steps, mixed by two multiplications. */
export const makeRandom = (seed: number): Random => {
  let counter = seed >>> 0
  const next = (): number => {
    counter = (counter + 0x9e3779b9) >>> 0
    let bits = counter
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const pick = <T>(from: readonly T[]): T => {
    const chosen = from[below(from.length)]
    if (chosen === undefined) throw new Error('Nothing to pick from.')
    return chosen
  }
  return { seed, next, below, pick }
}
