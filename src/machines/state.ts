import type { Effect, Timer } from './effects.ts'
import type { Ending, EndingCause } from './ending.ts'
import type { Failure, ProcessIdentity } from './events.ts'
import type { SnapshotsState } from './snapshots.ts'
import type { BoxSpec, HealthState, StopMode } from './spec.ts'

/**
 * What a box remembers beside the machine's state value; JSON. Kept below 20 fields by grouping: V8 copies larger objects
 * a hundred times slower, and every transition copies this one.
 */
export interface BoxContext {
  readonly id: string
  readonly name: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly spec: BoxSpec
  /** in `ms since 1970`, as all times here */
  readonly createdAt: number
  /** number of the last VMM asked for; 0: none yet */
  readonly incarnation: number
  /** the last incarnation is not over */
  readonly open: boolean
  readonly process: ProcessIdentity | null
  readonly vmmVersion: string | null
  readonly startedAt: number | null
  /** a stop under way, or an ending that the guest began */
  readonly stop: StopIntent | null
  /** what the end of this VMM leads to: the start that a `restart` asked for, or the removal */
  readonly next: 'start' | 'remove' | null
  /** why the start under way has failed */
  readonly failure: Failure | null
  readonly seen: SeenOfGuest
  readonly ending: Ending | null
  readonly restart: RestartState
  readonly reboots: RebootState
  /** why the box cannot be looked at */
  readonly unknownReason: string | null
  /** end of what was read of the event monitor's file, in `bytes` */
  readonly eventOffset: number
  /** absent where there was nothing to be known of any */
  readonly snapshots?: SnapshotsState
}

/** What the guest of an incarnation was seen to do. */
export interface SeenOfGuest {
  /** it said that it is ready */
  readonly ready: boolean
  /** when it first said so, in `ms since 1970` */
  readonly readyAt: number | null
  readonly poweredOff: boolean
  readonly panicked: boolean
  /** exit code of the main command */
  readonly commandExit: number | null
  /** null: nothing is known yet, or it is not asked */
  readonly health: Exclude<HealthState, 'starting'> | null
}

/** Where the restart policy stands. */
export interface RestartState {
  /** starts by the policy, over the box's life */
  readonly count: number
  /** starts by the policy in a row */
  readonly attempts: number
  /** the policy will start the box again */
  readonly due: boolean
  /** how long it waits, in `ms`, once that is decided */
  readonly delayMs: number | null
}

export interface RebootState {
  /** over the box's life */
  readonly count: number
  /** the latest ones of this incarnation */
  readonly recent: readonly number[]
}

export interface StopIntent {
  readonly mode: StopMode
  readonly timeoutMs: number
  /** the grace counts from here, in `ms since 1970` */
  readonly askedAt: number
  readonly cause: Extract<EndingCause, 'requested' | 'guest-poweroff' | 'guest-panic' | 'reboot-loop'>
  /** why it was asked for, where that is not plain */
  readonly reason?: string
}

/** The machine's own state value; only the public state, the first word, is stable. */
export type StateValue = string | { readonly [state: string]: StateValue | undefined }

/** All that a fold needs to go on: what a head and a checkpoint hold. */
export interface BoxState {
  readonly value: StateValue
  readonly context: BoxContext
  /** effects asked for and not yet over, by invocation */
  readonly effects: Readonly<Record<string, Effect>>
  /** deadlines that have not passed, by the machine's name */
  readonly timers: Readonly<Record<string, Timer>>
}

export const publicStates = [
  'configured',
  'starting',
  'running',
  'paused',
  'stopping',
  'stopped',
  'crashed',
  'failed',
  'removing',
  'removed',
  'unknown',
] as const
export type PublicState = (typeof publicStates)[number]

export type BoxTag = 'up' | 'busy' | 'down' | 'gone'

/** A state value as one word a level, joined by dots. */
export function pathOf(value: StateValue): string {
  if (typeof value === 'string') return value
  const [head, rest] = Object.entries(value)[0] ?? ['', undefined]
  return rest === undefined ? head : `${head}.${pathOf(rest)}`
}

export function publicStateOf(value: StateValue): PublicState {
  return (typeof value === 'string' ? value : Object.keys(value)[0]) as PublicState
}

/** Stage within `starting`, else undefined. */
export function stageOf(value: StateValue): string | undefined {
  if (typeof value === 'string' || value.starting === undefined) return undefined
  return pathOf(value.starting)
}
