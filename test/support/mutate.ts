import type { Random } from './seed.ts'

/** Values that a file may hold where something else should be; of JSON. */
const junk: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e21,
  8.64e15 + 1,
  '',
  'x',
  '..',
  '../../x',
  '__proto__',
  'constructor',
  'running',
  [],
  [null],
  {},
  { x: null },
  '\u0000',
  '\ud800',
]

type Parent = Record<string, unknown>

/** Every place within a value: who holds it, and under which key. */
const placesIn = (value: unknown): [Parent, string][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [
        [value as Parent, key] as [Parent, string],
        ...placesIn(inner),
      ])
    : []

/**
 * A copy of a value of JSON with one to three changes: something else in a place, a place that is gone, or one more, with
 * a name that other code might take for the prototype.
 */
export const mutated = (value: unknown, random: Random): unknown => {
  const whole = { value: structuredClone(value) }
  for (let n = random.below(3); n >= 0; n--) {
    const places = placesIn(whole)
    const [parent, key] = random.pick(places)
    const what = random.below(10)
    if (what < 7 || parent === whole)
      parent[key] = structuredClone(random.pick([...junk, random.pick(places)[0]]))
    else if (what < 9) delete parent[key]
    else
      Object.defineProperty(parent, random.pick(['__proto__', 'constructor', 'extra']), {
        value: { polluted: true },
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }
  return whole.value
}
