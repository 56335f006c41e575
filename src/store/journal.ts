import { BoxError } from '../machines/index.ts'
import { decodeSealed, seal } from './codec.ts'
import type { Database } from './database.ts'
import { epochOfOwnerKey, formatKey, frames, ownerKey, owners } from './keys.ts'

/** One ownership of the home, as the journal beside the chain has it. */
export interface Ownership {
  readonly epoch: number
  readonly opened: string
  readonly bootId: string
  readonly engine: string
  readonly pid: number
  readonly durability: 'sync' | 'process'
  readonly closed?: string
}

/** Version of the layout in `keys.ts`. */
export const format = 1

/** Refuses a ledger of a newer format before anything is read of it; gives a new one its number. */
export async function checkFormat(db: Database): Promise<void> {
  const text = await db.get(formatKey)
  if (text === undefined) {
    const [first] = await db.keys({ ...frames, limit: 1 }).all()
    if (first !== undefined)
      throw new BoxError('LEDGER_CORRUPT', 'The ledger has records and no format', {
        details: { key: formatKey },
      })
    return db.put(formatKey, String(format), { sync: true })
  }
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new BoxError('LEDGER_CORRUPT', 'The format of the ledger cannot be read', {
      details: { key: formatKey },
    })
  checkFormatOf(text)
}

/** Refuses a format that is newer than this version. */
export function checkFormatOf(text: string): void {
  if (Number(text) > format)
    throw new BoxError(
      'FORMAT_UNSUPPORTED',
      `The ledger has format ${text}, this version of boxledger reads up to ${format}. Use a newer version`,
      { details: { format: Number(text), supported: format } },
    )
}

/** The last ownership. A damaged entry still tells its number by its key. */
export async function lastOwnership(db: Database): Promise<Ownership | undefined> {
  const [last] = await db.iterator({ ...owners, reverse: true, limit: 1 }).all()
  if (last === undefined) return undefined
  const [key, sealed] = last
  const unknown = { opened: '', bootId: '', engine: '', pid: 0, durability: 'sync' } as const
  return ownershipOf(key, sealed) ?? { epoch: epochOfOwnerKey(key), ...unknown }
}

export function writeOwnership(db: Database, ownership: Ownership): Promise<void> {
  return db.put(ownerKey(ownership.epoch), seal(JSON.stringify(ownership)), { sync: true })
}

/** Undefined if the entry is damaged. */
export function ownershipOf(key: string, sealed: string): Ownership | undefined {
  const ownership = decodeSealed(sealed) as Ownership | undefined
  return ownership?.epoch === epochOfOwnerKey(key) ? ownership : undefined
}
