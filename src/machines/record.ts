import type { Effect, Timer } from './effects.ts'
import type { BoxEvent } from './events.ts'
import type { BoxState } from './state.ts'

export interface RecordMeta {
  /** idempotency key of the command */
  readonly commandId?: string
  /** position of the record that led to this one */
  readonly cause?: number
  /** who asked, as the caller said */
  readonly actor?: string
  readonly bootId: string
  /** number of the ownership of the home; only grows */
  readonly epoch: number
  /** name and version of the engine */
  readonly engine: string
}

/** A transition as stored, as readers get it. */
export interface LedgerRecord {
  /** global order, dense, from 1 */
  readonly position: number
  readonly box: string
  /** order within the box, dense, from 1 */
  readonly version: number
  /** ISO time */
  readonly at: string
  readonly event: BoxEvent & { readonly incarnation: number }
  readonly from: string
  readonly to: string
  readonly effects: readonly Effect[]
  readonly timers: { readonly set: readonly Timer[]; readonly cancelled: readonly string[] }
  readonly meta: RecordMeta
  /** hash of the frame before, in hex; the first one's is 64 zeros */
  readonly prev: string
  /** hash of the box's body before, in hex; the first one's is 64 zeros */
  readonly prevBody: string
  /** SHA-256 of this frame's stored bytes, in hex */
  readonly hash: string
}

/** A box's latest state. */
export interface Head {
  readonly box: string
  readonly version: number
  readonly position: number
  /** position of its `box.created` */
  readonly createdPosition: number
  /** in `ms since 1970` */
  readonly updatedAt: number
  /** type of its last event */
  readonly lastEvent: string
  /** hash of its last body, in hex */
  readonly bodyHash: string
  readonly state: BoxState
}
