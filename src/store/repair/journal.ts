import { unseal } from '../codec.ts'
import { format, type Ownership, ownershipOf } from '../journal.ts'
import {
  acknowledgements,
  compactedKey,
  epochOfOwnerKey,
  formatKey,
  homeKey,
  lossKey,
  losses as lossKeys,
  numberOfKey,
  ownerKey,
  owners,
  parkedBoxes,
  type Range,
  repairedKey,
  repairs,
  segments,
} from '../keys.ts'
import type { Loss } from '../losses.ts'
import type { Findings } from './findings.ts'
import type { NewLedger } from './new-ledger.ts'
import type { Witness } from './records.ts'

/** A repair, as the journal beside the chain has it. */
export interface RepairEntry {
  /** ISO time */
  readonly at: string
  /** name and version of the engine that did it */
  readonly engine: string
  /** the damaged home */
  readonly from: string
  readonly records: number
  readonly boxes: number
  /** how many boxes were parked, and how many positions are without a record */
  readonly parked: number
  readonly lost: number
}

/** What a repair says anew, leaves out, or takes over elsewhere. */
const rewritten: readonly Range[] = [segments, lossKeys, parkedBoxes, acknowledgements]
const written: readonly string[] = [formatKey, homeKey, compactedKey]

/**
 * Takes the journal over, word for word, whoever has written what there is; ownerships whose entries are lost are made
 * anew from what their records tell. Gives the number of the last ownership.
 */
export async function keepJournal(
  findings: Findings,
  ledger: NewLedger,
  epochs: ReadonlyMap<number, Witness>,
): Promise<number> {
  await ledger.put(formatKey, String(format))
  // Nowhere at home: inert, as a copy is.
  await ledger.putSealed(homeKey, {})
  const known = new Set<number>()
  for await (const { key, values } of findings.states('m/')) {
    if (written.includes(key) || rewritten.some(range => isIn(range, key))) continue
    const isGood = (value: string) =>
      (isIn(owners, key) ? ownershipOf(key, value) : unseal(value)) !== undefined
    // One that was deleted last is gone.
    const good =
      values[0] === undefined ? undefined : values.find(value => value !== undefined && isGood(value))
    if (good === undefined) continue
    await ledger.put(key, good)
    if (isIn(owners, key)) known.add(epochOfOwnerKey(key))
  }
  const last = Math.max(0, ...known, ...epochs.keys())
  for (let epoch = 1; epoch <= last; epoch += 1) {
    if (known.has(epoch)) continue
    const { at = '', bootId = '', engine = '' } = epochs.get(epoch) ?? {}
    const ownership: Ownership = { epoch, opened: at, bootId, engine, pid: 0, durability: 'sync' }
    await ledger.putSealed(ownerKey(epoch), ownership)
  }
  await ledger.flush()
  return last
}

export async function writeLosses(ledger: NewLedger, losses: readonly Loss[]): Promise<void> {
  for (const loss of losses) await ledger.putSealed(lossKey(loss.from), loss)
  await ledger.flush()
}

export async function writeRepair(ledger: NewLedger, entry: RepairEntry): Promise<void> {
  const [last] = await ledger.db.keys({ ...repairs, reverse: true, limit: 1 }).all()
  const number = last === undefined ? 1 : numberOfKey(last) + 1
  await ledger.putSealed(repairedKey(number), entry)
  await ledger.flush()
}

function isIn({ gte, lt }: Range, key: string): boolean {
  return key >= gte && key < lt
}
