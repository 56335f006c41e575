import { type Boundary, BoxError, type Schema } from '../machines/index.ts'
import type { Beside } from './beside.ts'
import { decodeSealed, seal } from './codec.ts'
import type { Database } from './database.ts'
import { checkpoints, livingHeads, removedHeads, schemaKey, suffixOf } from './keys.ts'
import { rebuildHead } from './rebuild.ts'
import { entryPages } from './scan.ts'

/** Which schema a ledger is written in, as its journal has it. Without an entry it is 1, the first. */
export interface SchemaEntry {
  readonly level: number
  /** name and version of the engine that has raised it */
  readonly engine: string
  /** not all heads are in it yet */
  readonly isRising?: boolean
}

/**
 * Refuses a ledger that a newer version has written to, before anything is read of it. Gives whether it is to be raised
 * to the present schema.
 */
export async function checkSchema(db: Database, { level }: Schema): Promise<boolean> {
  const sealed = await db.get(schemaKey)
  if (sealed === undefined) return level > 1
  const entry = schemaIn(sealed)
  if (entry === undefined)
    throw new BoxError('LEDGER_CORRUPT', 'The schema of the ledger cannot be read', {
      details: { key: schemaKey },
    })
  checkSchemaOf(entry, level)
  return entry.level < level || entry.isRising === true
}

export function checkSchemaOf({ level, engine }: SchemaEntry, supported: number): void {
  if (level > supported)
    throw new BoxError(
      'FORMAT_UNSUPPORTED',
      `The ledger has schema ${level}, written by ${engine}; this version of boxledger reads up to ${supported}. Use a newer version`,
      { details: { schema: level, supported, engine } },
    )
}

export function schemaIn(sealed: string | undefined): SchemaEntry | undefined {
  const entry = decodeSealed(sealed) as SchemaEntry | undefined
  return Number.isSafeInteger(entry?.level) && typeof entry?.engine === 'string' ? entry : undefined
}

export interface RaiseOptions extends Pick<Beside, 'archive' | 'schema'> {
  readonly engine: string
  readonly boundary: Boundary
}

/**
 * Raises a ledger to the present schema: from now on older versions refuse it, and every head is folded anew from its
 * records. A head whose records do not fold is left as it is. Cut off, it is done again.
 */
export async function raiseSchema(
  db: Database,
  { engine, boundary, ...beside }: RaiseOptions,
): Promise<void> {
  const { level } = beside.schema
  const write = (entry: SchemaEntry) => db.put(schemaKey, seal(JSON.stringify(entry)), { sync: true })
  await write({ level, engine, isRising: true })
  // They can be made again, and are of states of an older shape.
  await db.clear(checkpoints)
  for (const range of [livingHeads, removedHeads])
    for await (const keys of entryPages(db, range)) {
      const puts: { type: 'put'; key: string; value: string }[] = []
      for (const [key, sealed] of keys) {
        const head = await rebuildHead(db, suffixOf(key), beside)
        if (head === undefined) continue
        const { state, ...rest } = head
        const value = seal(JSON.stringify({ ...rest, ...executionsIn(sealed), state }))
        if (value !== sealed) puts.push({ type: 'put', key, value })
      }
      if (puts.length === 0) continue
      boundary('before mending a head')
      await db.batch(puts, { sync: true })
      boundary('after mending a head')
    }
  await write({ level, engine })
}

/** What no fold of a box's own records tells: how many executions it has had. */
function executionsIn(sealed: string): { readonly executions?: number } {
  const { executions } = (decodeSealed(sealed) ?? {}) as { readonly executions?: number }
  return executions === undefined ? {} : { executions }
}
