import type { Effect, Timer } from './effects.ts'

/** Arguments of a command that may be secret: a keyed hash tells whether two were the same, and nothing else. */
export interface HashedArguments {
  readonly count: number
  /** HMAC-SHA-256 under the home's own key, in hex */
  readonly hmac: string
}

/** The request that begins an execution. It is recorded before anything is run. */
export interface ExecutionRequest {
  readonly type: 'exec.started'
  readonly id: string
  readonly box: string
  readonly incarnation: number
  /** the program, without its arguments */
  readonly command: string
  /** in clear only if that was asked for */
  readonly arguments: HashedArguments | readonly string[]
  readonly cwd?: string
  readonly user?: string
  readonly tty: boolean
  /** in `ms` */
  readonly timeoutMs?: number
}

/** Why a command was killed that would have gone on. */
export type KillReason = 'aborted' | 'timed-out'

/** What became of it. */
export type ExecutionFact =
  | {
      readonly type: 'exec.ended'
      readonly incarnation: number
      /** 128 and the signal's number where a signal ended it */
      readonly exitCode: number
      readonly signal?: string
      readonly reason?: KillReason
    }
  | { readonly type: 'exec.lost'; readonly incarnation: number; readonly reason: string }

export type ExecutionEvent = ExecutionRequest | ExecutionFact

/** An event with the time it was accepted at, in `ms since 1970`. */
export type ExecutionStamped = ExecutionEvent & { readonly at: number }
export type ExecutionStart = ExecutionRequest & { readonly at: number }

export interface ExecutionOutcome {
  /** null: not known */
  readonly exitCode: number | null
  readonly signal?: string
  /** why it was killed, or is lost */
  readonly reason?: string
  readonly at: number
}

export interface ExecutionContext {
  readonly id: string
  readonly box: string
  readonly incarnation: number
  /** in `ms since 1970`, as all times here */
  readonly startedAt: number
  readonly outcome: ExecutionOutcome | null
}

export type ExecutionStateName = 'running' | 'ended' | 'lost'

/** All that a fold needs to go on. */
export interface ExecutionState {
  readonly value: ExecutionStateName
  readonly context: ExecutionContext
  readonly effects: Readonly<Record<string, Effect>>
  readonly timers: Readonly<Record<string, Timer>>
}

export function isExecutionEvent(event: { readonly type: string }): event is ExecutionEvent {
  return event.type.startsWith('exec.')
}
