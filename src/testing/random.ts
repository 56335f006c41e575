/** Chance that can be had again: the same seed gives the same draws. */
export interface Random {
  /** in [0, 1) */
  next(): number
  /** a whole number in [0, limit) */
  below(limit: number): number
  /** a whole number, both ends included */
  between(least: number, most: number): number
  chance(probability: number): boolean
  /** Throws a RangeError if there is nothing to pick from. */
  pick<T>(from: readonly T[]): T
  /** a wait for what happens once in `mean` on average, in the unit of `mean`, whole */
  wait(mean: number): number
  /** another source, whose draws do not depend on how many are taken from this one */
  fork(name: string): Random
}

/** A counter of golden-ratio steps, mixed by two multiplications. */
export function seeded(seed: number): Random {
  let counter = seed >>> 0
  const next = () => {
    counter = (counter + 0x9e3779b9) >>> 0
    return mix(counter) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: probability => next() < probability,
    pick: from => {
      if (from.length === 0) throw new RangeError('There is nothing to pick from')
      return from[below(from.length)] as (typeof from)[number]
    },
    wait: mean => Math.ceil(-Math.log(1 - next()) * mean),
    fork: name => seeded(mix((seed >>> 0) ^ hashOf(name))),
  }
}

function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
