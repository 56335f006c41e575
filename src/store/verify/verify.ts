import { partsOf } from '../../machines/index.ts'
import type { Beside } from '../beside.ts'
import type { Database } from '../database.ts'
import type { Parked, Problem, VerifyReport } from '../ledger.ts'
import { loadDeclared } from '../losses.ts'
import type { Tail, TailFile } from '../tail-file.ts'
import { verifyAcknowledgements } from './acknowledgements.ts'
import { BoxChains } from './boxes.ts'
import { bodyReader, type ReadBody, streamsOf, verifyGlobalChain, verifyStream } from './chain.ts'
import { type Epochs, epochsOf } from './epochs.ts'
import { verifyExecutionCounts } from './executions.ts'
import { beginFiles, verifyFiles } from './files.ts'
import { verifyCommands, verifyNames, verifyRepairs } from './indexes.ts'
import { verifySegments } from './segments.ts'
import type { Report, Still } from './still.ts'
import { proveWhole, type Whole } from './whole.ts'

export interface VerifyInput {
  readonly box?: string
  readonly replay?: boolean
  /** last record that was told as durable */
  readonly tail: Tail
  readonly parked: ReadonlyMap<string, Parked>
  /** number of the present ownership */
  readonly epoch: number
  readonly tailFile: TailFile
  readonly beside: Beside
}

/** Checks everything that is stored against everything else; changes nothing. */
export async function verifyLedger(db: Database, input: VerifyInput): Promise<VerifyReport> {
  const { box, replay = false, tail, parked, epoch, tailFile, beside } = input
  const problems: Problem[] = []
  const report: Report = problem => problems.push(problem)
  // The tail file may run ahead of what is read here, never behind: it is read first.
  const noted = tailFile.read()
  const declared = await loadDeclared(db)
  const snapshot = db.snapshot()
  const still = (): Still => ({
    ...{ db, at: { snapshot }, beside, declared },
    ...{ referred: new Set(), commands: { found: 0 } },
  })
  const readBody = bodyReader(beside, replay)
  const followed = { tail, noted, epoch, readBody, replay, report }
  try {
    const { records, boxes } =
      box === undefined
        ? await verifyAll(still, { ...followed, tailFile })
        : await verifyBox(still(), { ...followed, box })
    for (const [id, { position, reason }] of parked) {
      if ((box !== undefined && box !== partsOf(id).box) || problems.some(problem => problem.box === id))
        continue
      report({ kind: 'parked', box: id, ...(position === undefined ? {} : { position }), message: reason })
    }
    return {
      ok: problems.length === 0,
      records,
      boxes,
      parked: [...parked.keys()].filter(id => box === undefined || box === partsOf(id).box),
      problems,
    }
  } finally {
    await snapshot.close()
  }
}

interface Followed {
  readonly tail: Tail
  readonly noted: Tail | undefined
  readonly epoch: number
  readonly readBody: ReadBody
  readonly replay: boolean
  readonly report: Report
}

async function verifyAll(
  newStill: () => Still,
  input: Followed & { readonly tailFile: TailFile },
): Promise<Pick<Whole, 'records' | 'boxes'>> {
  const { tail, noted, epoch, report, tailFile } = input
  const swift = newStill()
  await using files = beginFiles(swift.db, tail.position)
  const ends = noted === undefined ? [tail] : [tail, noted]
  const whole = await proveWhole(swift, { ...input, ends })
  const still = whole === undefined ? newStill() : swift
  const epochs = await epochsOf(still, { epoch, report })
  const { records, boxes, executions } = whole ?? (await recordByRecord(still, epochs, input))
  await verifyNames(still, { report })
  await verifyExecutionCounts(still, { executions, report })
  await verifyCommands(still, { report })
  epochs.verifyJournal()
  await verifyRepairs(still, { report })
  await verifyAcknowledgements(still, { report })
  await verifySegments(still, { report })
  verifyTailFile(tailFile, noted, tail, report)
  await verifyFiles(files, { report })
  return { records, boxes }
}

async function recordByRecord(
  still: Still,
  epochs: Epochs,
  { tail, noted, readBody, replay, report }: Followed,
): Promise<Whole> {
  const chains = new BoxChains(still, { replay, report })
  const records = await verifyGlobalChain(still, { tail, noted, epochs, chains, readBody, report })
  await chains.verifyAllHeads()
  return { records, boxes: chains.boxes, executions: chains.executions }
}

async function verifyBox(
  still: Still,
  { box, tail, epoch, readBody, replay, report }: Followed & { readonly box: string },
): Promise<Pick<Whole, 'records' | 'boxes'>> {
  const chains = new BoxChains(still, { replay, report })
  const epochs = await epochsOf(still, { epoch, report })
  let records = 0
  for (const stream of await streamsOf(still, box)) {
    epochs.begin()
    records += await verifyStream(still, { stream, tail, epochs, chains, readBody, report })
    await chains.verifyHeadOf(stream)
  }
  await verifyNames(still, { box, report })
  return { records, boxes: chains.boxes }
}

function verifyTailFile(file: TailFile, noted: Tail | undefined, tail: Tail, report: Report): void {
  const problem = (message: string) => report({ kind: 'tail-file', file: 'ledger.tail', message })
  if (file.failure !== undefined) problem(`It could not be written: ${String(file.failure)}`)
  if (file.condition === 'damaged') problem('It could not be read when the ledger was opened')
  if (noted === undefined) problem('It cannot be read')
  else if (noted.position < tail.position && file.failure === undefined)
    problem(`It is at position ${noted.position}, the ledger at ${tail.position}`)
}
