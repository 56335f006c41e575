import { type Engine, notFound } from '../../engine/index.ts'
import type { Head } from '../../machines/index.ts'

/** A box as it is now, or as it was when it was removed. Throws `NOT_FOUND`, or `LEDGER_CORRUPT` if it cannot be read. */
export async function headOf(engine: Engine, box: string): Promise<Head> {
  const head = engine.ledger.head(box)
  if (head !== undefined) return head
  engine.assertSound(box)
  const removed = await engine.ledger.removedHead(box)
  if (removed === undefined) throw notFound(box)
  return removed
}
