import { type BoxCommand, BoxError, type Head, type LedgerRecord } from '../machines/index.ts'
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

/** An ID of a command stands for one command, of one type and to one box. */
export function assertSame(record: LedgerRecord, type: BoxCommand['type'], box?: string): void {
  const { event, meta, position } = record
  if (event.type === type && (box === undefined || record.box === box)) return
  throw new BoxError(
    'INVALID_ARGUMENT',
    `The command ID ${meta.commandId} is that of ${event.type} to box ${record.box}, and stands for nothing else`,
    { details: { field: 'commandId', box: record.box, command: event.type, position } },
  )
}
