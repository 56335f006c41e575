import { type Boundary, noBoundary, type StreamHead } from '../machines/index.ts'
import type { Beside } from './beside.ts'
import { checkChain } from './chain.ts'
import { seal } from './codec.ts'
import type { Database } from './database.ts'
import { isOver } from './entry.ts'
import { loadExecutionCounts } from './executions.ts'
import { loadHeads, loadNames } from './heads.ts'
import { discardImport } from './import/unfinished.ts'
import { headKey, removedKey } from './keys.ts'
import type { Parked } from './ledger.ts'
import { type Losses, loadDeclared, loadLosses } from './losses.ts'
import { rebuildHead } from './rebuild.ts'
import type { Tail } from './tail-file.ts'

/** All that has to be known of a ledger before it takes work. */
export interface Loaded {
  readonly tail: Tail
  /** highest epoch among the last records; 0: none */
  readonly epoch: number
  readonly heads: Map<string, StreamHead>
  readonly parked: Map<string, Parked>
  /** how many executions boxes have had that are not removed */
  readonly executions: Map<string, number>
  readonly losses: Losses
  /** names that the index keeps for parked boxes */
  readonly namesOfParked: [string, string][]
}

/**
 * Reads the ledger's end and the heads of all that is not over, and proves both as far as that is cheap. A head that is
 * damaged is made anew where the box's history is good; else the box is parked and all others go on.
 */
export async function load(
  db: Database,
  known: Tail | undefined,
  { archive, schema }: Pick<Beside, 'archive' | 'schema'>,
  boundary: Boundary = noBoundary,
): Promise<Loaded> {
  await discardImport(db)
  const losses = await loadLosses(db)
  const [{ tail, epoch, parked }, { heads, damaged }, executions, declared] = await Promise.all([
    checkChain(db, known, { losses, archive, schema }),
    loadHeads(db),
    loadExecutionCounts(db),
    loadDeclared(db),
  ])
  for (const [box, why] of declared) parked.set(box, why)
  for (const box of damaged) {
    const head = await rebuildHead(db, box, { archive, schema })
    if (head && !isOver(head)) {
      boundary('before mending a head')
      await db.put(headKey(box), seal(JSON.stringify(head)), { sync: true })
      boundary('after mending a head')
      heads.set(box, head)
    } else if (!parked.has(box)) {
      parked.set(box, { reason: 'the head is damaged, and the history does not give it back' })
    }
  }
  for (const head of heads.values())
    if (head.position > tail.position)
      parked.set(head.box, { position: head.position, reason: 'the head is ahead of the ledger' })
  for (const [box, why] of parked)
    if (!heads.has(box) && (await db.has(removedKey(box)))) parked.set(box, { ...why, removed: true })
  // A parked box with a good head can still be shown as it was.
  const namesOfParked: [string, string][] = []
  if (parked.size > 0)
    for (const [name, box] of await loadNames(db))
      if (box === undefined || parked.has(box)) namesOfParked.push([name, box ?? ''])
  return { tail, epoch, heads, parked, executions, losses, namesOfParked }
}
