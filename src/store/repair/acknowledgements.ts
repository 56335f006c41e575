import { acknowledgementOf } from '../acknowledgements.ts'
import { acknowledgementKey, acknowledgements, nameOfAcknowledgementKey } from '../keys.ts'
import type { Findings } from './findings.ts'
import type { NewLedger } from './new-ledger.ts'

/**
 * Takes over how far readers have come. An entry of which nothing can be read any more stays damaged, so that its reader
 * is told; of one that is behind the new end of the ledger no more is taken than there is, since what comes there is new.
 */
export async function keepAcknowledgements(
  findings: Findings,
  ledger: NewLedger,
  end: number,
): Promise<void> {
  for await (const { key, values } of findings.states(acknowledgements.gte)) {
    const [last] = values
    // One that was deleted last is gone.
    if (last === undefined) continue
    const name = nameOfAcknowledgementKey(key)
    const older = values.indexOf(undefined)
    const entry = values
      .slice(0, older < 0 ? undefined : older)
      .map(value => value && acknowledgementOf(value))
      .find(found => found)
    if (!entry) await ledger.put(acknowledgementKey(name), last)
    else
      await ledger.putSealed(acknowledgementKey(name), {
        ...entry,
        acknowledged: Math.min(entry.acknowledged, end),
      })
  }
  await ledger.flush()
}
