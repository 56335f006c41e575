import { decodeSealed } from '../codec.ts'
import { commandKey, suffixOf } from '../keys.ts'
import type { Losses } from '../losses.ts'
import type { BoxHistories } from './box-histories.ts'
import type { Findings } from './findings.ts'
import type { NewLedger } from './new-ledger.ts'

interface EvidenceInput {
  readonly findings: Findings
  readonly ledger: NewLedger
  readonly histories: BoxHistories
  readonly losses: Losses
}

/**
 * Parks the boxes that lost records were of, as far as anything tells: without that a box whose last records are lost
 * would go on from a state that it had left.
 */
export async function weighEvidence(input: EvidenceInput): Promise<void> {
  const { findings, histories, losses } = input
  for await (const { position, box, version, sound } of findings.broken()) {
    const history = histories.all.get(box)
    if (losses.at(position)?.what !== 'record' || (history === undefined && !sound)) continue
    if ((history?.version ?? 0) < version) histories.miss(box, position, version)
  }
  await keepCommands(input)
}

/** A command whose record is lost was done all the same: its ID stays used. */
async function keepCommands({ findings, ledger, histories, losses }: EvidenceInput): Promise<void> {
  for await (const { key, values } of findings.states('c/')) {
    const commandId = suffixOf(key)
    const entry = values
      .map(value => decodeSealed(value) as { readonly box: string; readonly position: number } | undefined)
      .find(value => value !== undefined)
    if (entry === undefined || !losses.hasNoRecord(entry.position)) continue
    await ledger.putSealed(commandKey(commandId), { box: entry.box, position: entry.position })
    if ((histories.all.get(entry.box)?.position ?? 0) < entry.position)
      histories.miss(entry.box, entry.position, undefined, `the record of command ${commandId} is lost`)
  }
  await ledger.flush()
}
