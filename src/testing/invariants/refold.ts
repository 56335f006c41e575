import {
  type BoxState,
  type ExecutionState,
  isExecutionEvent,
  isRefusal,
  isSameJson,
  type LedgerRecord,
  type StreamHead,
  type StreamState,
  type step,
  stepExecution,
  streamOf,
} from '../../machines/index.ts'

export interface Refold {
  /** what folds events into states */
  readonly step: typeof step
  /** a stream as it is stored */
  readonly head: (stream: string) => StreamHead | undefined
}

/** Folds every stream from its first record on. Gives those that come to something else than is recorded or stored, and why. */
export async function misfolded(
  records: AsyncIterable<LedgerRecord>,
  { step, head }: Refold,
): Promise<Map<string, string>> {
  const states = new Map<string, StreamState>()
  const wrong = new Map<string, string>()
  for await (const record of records) {
    const { version, at, event, to, effects, timers } = record
    const stream = streamOf(record)
    if (wrong.has(stream)) continue
    const input = { at: Date.parse(at), version }
    const before = states.get(stream)
    const outcome = isExecutionEvent(event)
      ? stepExecution(before as ExecutionState, event, input)
      : step(before as BoxState, event, input)
    if (isRefusal(outcome))
      wrong.set(stream, `${event.type}, version ${version}, is refused when folded anew`)
    else if (!isSameJson([outcome.to, outcome.effects, outcome.timers], [to, effects, timers]))
      wrong.set(stream, `${event.type}, version ${version}, comes to something else when folded anew`)
    else states.set(stream, outcome.state)
  }
  for (const [stream, state] of states)
    if (!wrong.has(stream) && !isSameJson(state, head(stream)?.state))
      wrong.set(stream, 'folded from zero it is not as it is stored')
  return wrong
}
