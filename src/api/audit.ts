import type { BoxInfo, Explanation, ForkEvent, ForkResult } from '../engine/index.ts'
import type { Difference, LedgerRecord } from '../machines/index.ts'
import type { Moment as StoredMoment } from '../store/index.ts'
import { auditShapes } from './audit-shapes.ts'
import { check } from './options.ts'

/**
 * A moment in a box's history: after its record of that version, after its last one up to a position of the ledger, or
 * at a time. Where the clock went back, it is after a record up to that time which a later one follows.
 */
export type Moment = { readonly version: number } | { readonly position: number } | { readonly time: Date }

/** What happened, when, why, and what if. Nothing of this runs or records anything. */
export interface Audit {
  /**
   * The box as it was: by ID or name, of a removed one by ID. `recovering` and `responding` are not known of the past.
   * Rejects with `NOT_FOUND` if it was not there at that moment, `LEDGER_CORRUPT` where a record that leads there is
   * damaged, `UNSUPPORTED` where the machine of today does not come to what was recorded.
   */
  stateAt(id: string, at: Moment): Promise<BoxInfo>
  /** What is different between the box after one version and after another; `path` is from the root of its state. */
  diff(id: string, a: number, b: number): Promise<Difference[]>
  /**
   * The chain of causes of a record, first cause first, the record itself last. Each has asked for the effect, or set
   * the timer, that led to the next. Rejects with `NOT_FOUND` if there is no such position.
   */
  why(position: number): Promise<LedgerRecord[]>
  /** What the box would take now, which effects and timers are pending, and which record asked for them. */
  explain(idOrName: string): Promise<Explanation>
  /**
   * What would have come of invented events, from a version on. A fact is of the box's incarnation where it does not say
   * of which. Effects are listed, never run. Rejects with `INVALID_ARGUMENT` (`details.index`) for what is no event.
   */
  fork(id: string, at: { readonly version: number }, events: readonly ForkEvent[]): Promise<ForkResult>
}

/** A moment as the ledger is asked for it. */
export function momentOf(at: Moment): StoredMoment {
  const { version, position, time } = check(auditShapes.moment, at, 'at')
  if (version !== undefined) return { version }
  if (position !== undefined) return { position }
  return { time: (time as Date).getTime() }
}
