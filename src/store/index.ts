export type { ArchiveReport } from './archive/move.ts'
export type { CompactReport } from './compact.ts'
export type {
  Append,
  Committed,
  Ledger,
  OpenLedgerOptions,
  Parked,
  PreviousOwner,
  Problem,
  ReadOptions,
  VerifyReport,
} from './ledger.ts'
export { openLedger } from './open.ts'
export { type ListFilter, Projections } from './projections.ts'
export { type RepairOptions, repairLedger } from './repair/repair.ts'
export type { Positions, RepairReport } from './repair/report.ts'
export type { FileDamage } from './salvage/salvage.ts'
