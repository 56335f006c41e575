export type { Acknowledgement, Acknowledgements, Filter, Stored } from './acknowledgements.ts'
export type { ArchiveReport } from './archive/report.ts'
export type { Ballast } from './ballast.ts'
export { type CompactReport, sizeOf } from './compact.ts'
export type { Database } from './database.ts'
export { storedHead } from './heads.ts'
export type { ImportReport } from './import/report.ts'
export type {
  Append,
  Committed,
  Ledger,
  OpenLedgerOptions,
  Parked,
  Pause,
  PreviousOwner,
  Problem,
  ReadOptions,
  VerifyReport,
} from './ledger.ts'
export type { Lock } from './lock.ts'
export type { Medium } from './medium.ts'
export { openLedger } from './open.ts'
export type { Moment, Past, PastHead } from './past.ts'
export { type ListFilter, Projections } from './projections.ts'
export { type RepairOptions, repairLedger } from './repair/repair.ts'
export type { Positions, RepairReport } from './repair/report.ts'
export type { FileDamage } from './salvage/salvage.ts'
export type { Tail, TailFile } from './tail-file.ts'
