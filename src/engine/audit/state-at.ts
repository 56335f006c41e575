import { BoxError, type Difference, differencesOf, plainStateOf } from '../../machines/index.ts'
import type { Moment, PastHead } from '../../store/index.ts'
import type { Engine } from '../engine.ts'
import { type BoxInfo, infoOf } from '../info.ts'

/**
 * A box as it was. Reads and folds records, and runs nothing. Rejects with `NOT_FOUND` if it was not there at that
 * moment, `LEDGER_CORRUPT` where a record that leads there is damaged.
 */
export async function stateAt(engine: Engine, box: string, moment: Moment): Promise<BoxInfo> {
  return pastInfo(engine, await headAt(engine, box, moment))
}

/** What is different between a box after one of its records and after another. */
export async function diff(engine: Engine, box: string, a: number, b: number): Promise<Difference[]> {
  const [before, after] = await Promise.all(
    [a, b].map(version => headAt(engine, box, { version })) as [Promise<PastHead>, Promise<PastHead>],
  )
  return differencesOf(plainStateOf(before.state), plainStateOf(after.state))
}

export async function headAt(engine: Engine, box: string, moment: Moment): Promise<PastHead> {
  const head = await engine.ledger.past.headAt(box, moment)
  if (head === undefined)
    throw new BoxError('NOT_FOUND', `Box ${box} was not there ${wordsOf(moment)}`, {
      details: { box, ...moment },
    })
  return head
}

/** What is known of a box beside its records is not known of the past. */
export async function pastInfo(engine: Engine, head: PastHead): Promise<BoxInfo> {
  const executions = await engine.ledger.past.executionsUntil(head.box, head.position)
  return infoOf(head, { executions })
}

function wordsOf(moment: Moment): string {
  if ('version' in moment) return `at version ${moment.version}`
  if ('position' in moment) return `at position ${moment.position}`
  return `at ${new Date(moment.time).toISOString()}`
}
