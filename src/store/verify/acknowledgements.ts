import { acknowledgementOf } from '../acknowledgements.ts'
import { acknowledgements, frames, nameOfAcknowledgementKey, positionOfFrameKey } from '../keys.ts'
import type { Report, Still } from './still.ts'

/** What readers have acknowledged can be read, and is of records that are there. */
export async function verifyAcknowledgements(
  { db, at }: Still,
  { report }: { readonly report: Report },
): Promise<void> {
  const [last] = await db.keys({ ...frames, ...at, reverse: true, limit: 1 }).all()
  const end = last === undefined ? 0 : positionOfFrameKey(last)
  for await (const [key, sealed] of db.iterator({ ...acknowledgements, ...at })) {
    const name = nameOfAcknowledgementKey(key)
    const entry = acknowledgementOf(sealed)
    const problem = (message: string) => report({ kind: 'subscription', message })
    if (entry === undefined) problem(`What the subscription ${name} has acknowledged cannot be read`)
    else if (entry.acknowledged > end)
      problem(`The subscription ${name} has acknowledged ${entry.acknowledged}, the ledger ends at ${end}`)
  }
}
