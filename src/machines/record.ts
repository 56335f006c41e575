import type { Effect, Timer } from './effects.ts'
import type { BoxEvent } from './events.ts'
import type { ExecutionEvent, ExecutionState } from './execution-events.ts'
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

/** A transition as stored, as readers get it: of a box, or of an execution in it. */
export type LedgerRecord = BoxRecord | ExecutionRecord

export interface BoxRecord extends StoredRecord<BoxEvent> {
  readonly execution?: never
}

export interface ExecutionRecord extends StoredRecord<ExecutionEvent> {
  /** its ID */
  readonly execution: string
}

interface StoredRecord<Event> {
  /** global order, dense, from 1 */
  readonly position: number
  readonly box: string
  /** order within the box, or within the execution, dense, from 1 */
  readonly version: number
  /** ISO time */
  readonly at: string
  readonly event: Event & { readonly incarnation: number }
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

/** Latest state of a stream. */
interface LatestState<State> {
  /** name of the stream: the box's ID, or `BOX.EXECUTION` */
  readonly box: string
  readonly version: number
  readonly position: number
  /** position of its first record */
  readonly createdPosition: number
  /** in `ms since 1970` */
  readonly updatedAt: number
  /** type of its last event */
  readonly lastEvent: string
  /** hash of its last body, in hex */
  readonly bodyHash: string
  readonly state: State
}

/** A box's latest state. */
export interface Head extends LatestState<BoxState> {
  /** how many executions it has had, in the last head of a removed box */
  readonly executions?: number
}
/** An execution's. */
export type ExecutionHead = LatestState<ExecutionState>
export type StreamHead = Head | ExecutionHead

export function isExecutionHead(head: StreamHead): head is ExecutionHead {
  return 'box' in head.state.context
}
