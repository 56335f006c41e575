import type { Database } from '../database.ts'
import { frameKey } from '../keys.ts'
import type { Parked } from '../ledger.ts'
import { type Loss, Losses } from '../losses.ts'
import type { Tail } from '../tail-file.ts'
import { keepAcknowledgements } from './acknowledgements.ts'
import { weighEvidence } from './evidence.ts'
import { Findings } from './findings.ts'
import { proveFrames } from './frames.ts'
import { settleHeads } from './heads.ts'
import { keepJournal, writeLosses } from './journal.ts'
import { NewLedger } from './new-ledger.ts'
import { saveRecords } from './records.ts'

/** What a new ledger was built of. */
export interface Built {
  readonly tail: Tail
  /** number of the last ownership */
  readonly epoch: number
  readonly records: number
  readonly boxes: number
  readonly rebuilt: number
  /** lost records of which nothing tells whose they were, at most */
  readonly unknown: number
  readonly losses: readonly Loss[]
  readonly parked: ReadonlyMap<string, Parked>
}

/**
 * Builds a ledger of what was found of another:
 *
 * 1. the global chain, each frame proven;
 * 2. the bodies that frames lead to, and the boxes that they are of;
 * 3. heads and names, by folding;
 * 4. the journal, with what is lost, and how far readers have come.
 */
export async function build(scratch: Database, db: Database, known: Tail | undefined): Promise<Built> {
  const findings = new Findings(scratch)
  const ledger = new NewLedger(db)
  const chain = await proveFrames(findings, known, (position, text) => ledger.put(frameKey(position), text))
  await ledger.flush()
  const saved = await saveRecords(findings, ledger, chain.losses)
  const losses = [...chain.losses, ...saved.lostBodies].sort((a, b) => a.from - b.from)
  const { histories } = saved
  await weighEvidence({ findings, ledger, histories, losses: new Losses(losses) })
  const parked = await settleHeads({ findings, ledger, histories, end: chain.tail.position })
  const epoch = await keepJournal(findings, ledger, saved.epochs)
  await writeLosses(ledger, losses)
  await keepAcknowledgements(findings, ledger, chain.tail.position)
  let lost = 0
  for (const { from, to, what } of losses) if (what !== 'frame') lost += to - from + 1
  return {
    tail: chain.tail,
    epoch,
    records: saved.records,
    boxes: histories.all.size,
    rebuilt: chain.rebuilt,
    unknown: Math.max(0, lost - histories.missed),
    losses,
    parked,
  }
}
