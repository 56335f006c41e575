import { isDeepStrictEqual } from 'node:util'
import type { EffectType, Ending, PublicState } from '../../machines/index.ts'

/** What is to come of it; what is left out is not looked at. */
export interface Expected {
  readonly state?: PublicState
  /** within the state, as the machine names it: `starting.booting` */
  readonly path?: string
  /** asked for by this event, in any order */
  readonly effects?: readonly EffectType[]
  /** set by this event, in `ms` from it */
  readonly timers?: readonly number[]
  /** of the last incarnation, as far as it is given */
  readonly ending?: Partial<Ending> | null
  readonly incarnation?: number
  /** the restart policy will start it again */
  readonly restarts?: boolean
  /** the command is refused; a list: and these would be accepted, as a refusal names them */
  readonly refused?: boolean | readonly string[]
}

/** Throws an error that names every difference. */
export function compare(expected: Expected, actual: Readonly<Record<keyof Expected, unknown>>): void {
  const differences = Object.entries(expected).flatMap(([key, wanted]) => {
    const found = actual[key as keyof Expected]
    return matches(key, wanted, found)
      ? []
      : [`${key}: ${JSON.stringify(wanted)} is expected, it is ${JSON.stringify(found)}`]
  })
  if (differences.length > 0) throw new Unexpected(differences)
}

/** The machine decided otherwise. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected'
  readonly differences: readonly string[]

  constructor(differences: readonly string[]) {
    super(`The machine decided otherwise:\n  ${differences.join('\n  ')}`)
    this.differences = differences
  }
}

function matches(key: string, wanted: unknown, found: unknown): boolean {
  if (key === 'refused' && typeof wanted === 'boolean') return wanted === (found !== false)
  if (Array.isArray(wanted) && Array.isArray(found))
    return isDeepStrictEqual([...wanted].sort(), [...found].sort())
  if (key === 'ending' && isObject(wanted) && isObject(found))
    return Object.entries(wanted).every(([field, value]) => isDeepStrictEqual(value, found[field]))
  return isDeepStrictEqual(wanted, found)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
