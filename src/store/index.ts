export type { Ballast } from './ballast.ts'
export type { Database } from './database.ts'
export { storedHead } from './heads.ts'
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
export { type ListFilter, Projections } from './projections.ts'
export type { Tail, TailFile } from './tail-file.ts'
