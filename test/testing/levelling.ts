/** Quantities as they were at times evenly apart. */
export type Samples = readonly Readonly<Record<string, number>>[]

/**
 * Throws where a quantity grows for as long as it is looked at: its middle in the last third is held against its most in
 * the first two, with a tenth of that and `slack` for chance. A moment with more is no growth.
 */
export function assertLevel(samples: Samples, name: string, slack: number): void {
  const values = samples.map(sample => sample[name] ?? Number.NaN)
  const late = Math.ceil((values.length * 2) / 3)
  const before = Math.max(...values.slice(0, late))
  const last = values.slice(late).sort((a, b) => a - b)
  const middle = last[last.length >> 1] ?? Number.NaN
  if (!(middle <= before * 1.1 + slack)) throw new Error(`${name} grows: ${values.join(', ')}`)
}
