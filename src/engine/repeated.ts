import type { Head, LedgerRecord } from '../machines/index.ts'
import type { Engine } from './engine.ts'

/** What a command has led to when it was given before, under the same ID. */
export interface Repeated {
  readonly record: LedgerRecord
  /** the box as it is now; absent: removed */
  readonly head: Head | undefined
}

/** The record of a command that was carried out already, maybe by an earlier owner; undefined for a new one. */
export async function repeatedOf(
  engine: Engine,
  commandId: string | undefined,
): Promise<Repeated | undefined> {
  if (commandId === undefined) return undefined
  const known = await engine.ledger.command(commandId)
  if (known === undefined) return undefined
  const { position, box } = known
  for await (const record of engine.ledger.read({ from: position, to: position }))
    return { record, head: engine.ledger.head(box) }
  return undefined
}

/** Whether the VMM that a repeated command was about is over. */
export function isOver({ head, record }: Repeated): boolean {
  if (head === undefined) return true
  const { incarnation, open } = head.state.context
  return incarnation > record.event.incarnation || !open
}
