import { join } from 'node:path'
import type { Problem, VerifyReport } from '../store/index.ts'
import type { Engine } from './engine.ts'

/**
 * Adds the VMMs that run in the home and belong to no box that the ledger knows: it has lost a box's creation, or is an
 * older one. They are told, and never touched.
 */
export function withStrays(report: VerifyReport, { home, ledger, hands }: Engine): VerifyReport {
  const strays = hands.runs
    .living(home)
    .filter(({ box }) => ledger.head(box) === undefined && !ledger.parked.has(box))
    .map(
      ({ box, incarnation, process }): Problem => ({
        kind: 'stray-vmm',
        box,
        file: join(home, 'boxes', box, String(incarnation)),
        message: `Process ${process.pid} is a VMM of a box that the ledger does not know; end it by hand`,
      }),
    )
  if (strays.length === 0) return report
  return { ...report, ok: false, problems: [...report.problems, ...strays] }
}
