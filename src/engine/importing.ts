import type { ImportReport } from '../store/index.ts'
import type { Engine } from './engine.ts'

/** Fills an empty home from an export. Its boxes are history then, until they are adopted. */
export async function importInto(engine: Engine, lines: AsyncIterable<string>): Promise<ImportReport> {
  const { ledger, projections, audience } = engine
  const report = await ledger.import(lines)
  projections.load(ledger.heads())
  audience.tail.jump(ledger.tail.position)
  for (const head of ledger.heads()) audience.tell(head)
  return report
}
