import { BoxError, type Head } from '../machines/index.ts'
import type { Projections } from '../store/index.ts'

/** Shortest part of an ID that stands for it. */
const shortestPrefix = 4

/** Exact ID or name: what `remove` and uniqueness go by. */
export function findExact(projections: Projections, idOrName: string): Head | undefined {
  return projections.get(idOrName) ?? projections.byName(idOrName)
}

/** Exact ID, exact name, then an ID prefix that is unique. */
export function find(projections: Projections, idOrName: string): Head | undefined {
  const exact = findExact(projections, idOrName)
  if (exact !== undefined || idOrName.length < shortestPrefix) return exact
  const matches = projections.byPrefix(idOrName)
  if (matches.length > 1)
    throw new BoxError('AMBIGUOUS_ID', `${matches.length} boxes have an ID that begins with ${idOrName}`, {
      details: { prefix: idOrName, matches: matches.map(head => head.box) },
    })
  return matches[0]
}

export function notFound(idOrName: string): BoxError {
  return new BoxError('NOT_FOUND', `There is no box ${JSON.stringify(idOrName)}`, { details: { idOrName } })
}
