import { BoxError, type Head, quoted } from '../machines/index.ts'
import type { Projections } from '../store/index.ts'

/** Exact ID or name: what `remove` and uniqueness go by. */
export function findExact(projections: Projections, idOrName: string): Head | undefined {
  return projections.get(idOrName) ?? projections.byName(idOrName)
}

/** Exact ID, exact name, then an ID prefix that is unique. */
export function find(projections: Projections, idOrName: string): Head | undefined {
  const exact = findExact(projections, idOrName)
  if (exact !== undefined) return exact
  const matches = projections.byPrefix(idOrName)
  if (matches.length > 1)
    throw new BoxError('AMBIGUOUS_ID', `${matches.length} boxes have an ID that begins with ${idOrName}`, {
      details: { prefix: idOrName, matches },
    })
  const [only] = matches
  return only === undefined ? undefined : projections.get(only)
}

/** What of a string that can be no ID or name is given back, in `characters`. */
const longestRepeated = 256

export function notFound(idOrName: string): BoxError {
  return new BoxError('NOT_FOUND', `There is no box ${quoted(idOrName)}`, {
    details: { idOrName: idOrName.slice(0, longestRepeated) },
  })
}
