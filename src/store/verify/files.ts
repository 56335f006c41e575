import { checkFilesAside, checkFilesHere, type FileCheck } from '../check-files/check-aside.ts'
import { type Database, directoryOf } from '../database.ts'
import type { Report } from './still.ts'

/** Records from which on the files are looked at in a thread: for fewer it takes longer to start one. */
const manyRecords = 50_000

const nothing: FileCheck = { problems: async () => [], async [Symbol.asyncDispose]() {} }

/** Begins to look at the database's own files, which LevelDB reads without looking at their checksums. */
export function beginFiles(db: Database, records: number): FileCheck {
  const directory = directoryOf(db)
  if (directory === undefined) return nothing
  if (records >= manyRecords) return checkFilesAside(directory)
  return { ...nothing, problems: () => checkFilesHere(directory) }
}

export async function verifyFiles(check: FileCheck, { report }: { readonly report: Report }): Promise<void> {
  for (const { file, offset, message } of await check.problems())
    report({
      kind: 'file',
      file: `ledger/${file}`,
      message: offset === undefined ? message : `${message}, at byte ${offset}`,
    })
}
