import { decodeCount } from '../codec.ts'
import { executionCounts, removedKey, suffixOf } from '../keys.ts'
import { entryPages } from '../scan.ts'
import type { Report, Still } from './still.ts'

/** The number of executions of each living box is that of their streams. */
export async function verifyExecutionCounts(
  { db, at, declared }: Still,
  { executions, report }: { readonly executions: ReadonlyMap<string, number>; readonly report: Report },
): Promise<void> {
  const counts = new Map(executions)
  const problem = (box: string, message: string) => {
    if (!declared.has(box)) report({ kind: 'executions', box, message })
  }
  for await (const page of entryPages(db, executionCounts, at))
    for (const [key, sealed] of page) {
      const box = suffixOf(key)
      const count = counts.get(box) ?? 0
      if (decodeCount(sealed) !== count) problem(box, `The number of executions is not ${count}, as recorded`)
      if (await db.has(removedKey(box), at)) problem(box, 'Executions of a removed box are counted')
      counts.delete(box)
    }
  for (const box of counts.keys())
    if (!(await db.has(removedKey(box), at))) problem(box, 'The number of executions is missing')
}
