import { BoxError } from '../machines/index.ts'
import type { Database } from './database.ts'
import type { Parked, VerifyReport } from './ledger.ts'
import type { Tail, TailFile } from './tail-file.ts'

export interface VerifyInput {
  readonly box?: string
  readonly replay?: boolean
  readonly tail: Tail
  readonly parked: ReadonlyMap<string, Parked>
  readonly epoch: number
  readonly tailFile: TailFile
}

export function verifyLedger(_db: Database, _input: VerifyInput): Promise<VerifyReport> {
  return Promise.reject(new BoxError('UNSUPPORTED', 'Verifying is being built'))
}
