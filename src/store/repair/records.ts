import { type RecordMeta, schema } from '../../machines/index.ts'
import { isCheckpoint } from '../checkpoints.ts'
import { decodeBody, decodeFrame, type Frame } from '../codec.ts'
import { isOver } from '../entry.ts'
import { bodyKey, checkpointKey, commandKey, frames, removedKey } from '../keys.ts'
import type { Loss } from '../losses.ts'
import { entryPages } from '../scan.ts'
import { BoxHistories, headOf } from './box-histories.ts'
import type { Findings } from './findings.ts'
import type { NewLedger } from './new-ledger.ts'

/** What the records of an ownership tell of it. */
export type Witness = Pick<RecordMeta, 'bootId' | 'engine'> & { readonly at: string }

export interface SavedRecords {
  readonly records: number
  readonly histories: BoxHistories
  /** positions whose frame is there, and whose body is not */
  readonly lostBodies: readonly Loss[]
  readonly epochs: ReadonlyMap<number, Witness>
}

/** Goes through the frames of the new ledger, puts their bodies and command IDs beside them, and follows every box. */
export async function saveRecords(
  findings: Findings,
  ledger: NewLedger,
  losses: readonly Loss[],
): Promise<SavedRecords> {
  const histories = new BoxHistories(losses)
  const lostBodies: Loss[] = []
  const epochs = new Map<number, Witness>()
  let records = 0
  for await (const page of entryPages(ledger.db, frames)) {
    const found = page.flatMap(([, text]) => decodeFrame(text) ?? [])
    const texts = await findings.bodies(found)
    for (const [n, frame] of found.entries()) {
      const { position } = frame
      const text = texts[n]
      if (text === undefined) lostBodies.push({ from: position, to: position, what: 'body' })
      else records += 1
      await saveRecord(frame, text, { histories, ledger, epochs })
    }
  }
  await ledger.flush()
  return { records, histories, lostBodies, epochs }
}

async function saveRecord(
  frame: Frame,
  text: string | undefined,
  {
    histories,
    ledger,
    epochs,
  }: {
    readonly histories: BoxHistories
    readonly ledger: NewLedger
    readonly epochs: Map<number, Witness>
  },
): Promise<void> {
  const { box, version, position } = frame
  const body = decodeBody(text, schema)
  if (body && text !== undefined) {
    await ledger.put(bodyKey(box, version, position), text)
    const { commandId, epoch, bootId, engine } = body.meta
    if (commandId !== undefined) await ledger.putSealed(commandKey(commandId), { box, position })
    if (!epochs.has(epoch)) epochs.set(epoch, { bootId, engine, at: body.at })
  }
  const history = histories.follow(frame, body)
  const head = headOf(box, history, histories.executions.get(box))
  if (head === undefined) return
  if (isCheckpoint(version)) await ledger.putSealed(checkpointKey(box, version), head)
  if (!isOver(head)) return
  // Nothing follows: its state need not be kept at hand.
  await ledger.putSealed(removedKey(box), head)
  history.state = undefined
  history.isSettled = true
}
