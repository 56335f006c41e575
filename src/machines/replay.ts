import { isSameJson } from './differences.ts'
import type { LedgerRecord } from './record.ts'
import { isRefusal, type StreamState, stepStream } from './step.ts'

/** What of a record a fold needs. */
export type Recorded = Pick<LedgerRecord, 'version' | 'at' | 'event' | 'from' | 'to' | 'effects' | 'timers'>

/**
 * Folds one record of a stream onto the state before it; runs nothing. Undefined if the machine of today does not come
 * to what was recorded: then the fold is not the truth, and the recorded outcome cannot be completed by it.
 */
export function replay(state: StreamState | undefined, recorded: Recorded): StreamState | undefined {
  const { event, at, version } = recorded
  try {
    const outcome = stepStream(state, event, { at: Date.parse(at), version })
    if (isRefusal(outcome)) return undefined
    const agrees =
      outcome.from === recorded.from &&
      outcome.to === recorded.to &&
      isSameJson(outcome.effects, recorded.effects) &&
      isSameJson(outcome.timers, recorded.timers)
    return agrees ? outcome.state : undefined
  } catch {
    // A guard or an assignment threw on what is stored: no agreement either.
    return undefined
  }
}
