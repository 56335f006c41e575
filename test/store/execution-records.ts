import { type ExecutionEvent, isRefusal, stepExecution, streamOf } from 'boxledger/machines'
import type { Committed, Ledger } from 'boxledger/store'

export const startOf = (box: string, id: string): ExecutionEvent => ({
  ...{ type: 'exec.started', id, box, incarnation: 1, command: 'true', tty: false },
  arguments: { count: 0, hmac: '' },
})
export const ended: ExecutionEvent = { type: 'exec.ended', incarnation: 1, exitCode: 0 }

/** What became of an execution, computed from its head as an engine would. */
export const tell = (
  ledger: Ledger,
  box: string,
  execution: string,
  event: ExecutionEvent,
): Promise<Committed> => {
  const stream = streamOf({ box, execution })
  const head = ledger.execution(stream)
  const at = Date.now()
  const transition = stepExecution(head?.state, event, { at, version: (head?.version ?? 0) + 1 })
  if (isRefusal(transition)) throw new Error('refused')
  return ledger.append({ box: stream, expectedVersion: head?.version ?? 0, transition, at, meta: {} })
}

export const begin = (ledger: Ledger, box: string, id: string) => tell(ledger, box, id, startOf(box, id))

export async function run(ledger: Ledger, box: string, id: string): Promise<void> {
  await begin(ledger, box, id)
  await tell(ledger, box, id, ended)
}
