import { seal } from '../codec.ts'
import { commandKey } from '../keys.ts'
import type { Report, Still } from './still.ts'

/** A command that a record says it is of. */
export interface Commanded {
  readonly position: number
  /** the stream */
  readonly box: string
  readonly commandId: string
}

/** Every command ID of these records has its entry. */
export async function checkCommands(
  { db, at, commands }: Still,
  wanted: readonly Commanded[],
  report: Report,
): Promise<void> {
  if (wanted.length === 0) return
  const entries: (string | undefined)[] = await db.getMany(
    wanted.map(({ commandId }) => commandKey(commandId)),
    at,
  )
  for (const [n, { position, box, commandId }] of wanted.entries()) {
    if (entries[n] === undefined)
      report({ kind: 'command', position, box, message: `Command ${commandId} has no entry` })
    // As it was written; what is written otherwise, or is another's, is looked at from the entries.
    else if (entries[n] === seal(JSON.stringify({ box, position }))) commands.found += 1
  }
}
