import { accepts, type BoxState, delayOf, type Effect, type ErrorCode } from '../../machines/index.ts'
import { type Asked, askerOf } from '../causes.ts'
import type { Engine } from '../engine.ts'
import type { BoxInfo } from '../info.ts'
import { damaged, inertError } from '../tail.ts'

/** What a box is waiting for, and what can be asked of it. */
export interface Explanation {
  readonly box: BoxInfo
  /** commands that it would take now, by the type of their event */
  readonly accepts: readonly string[]
  readonly held?: Held
  /** asked for and not yet over */
  readonly effects: readonly (Effect & Asker)[]
  readonly timers: readonly (PendingTimer & Asker)[]
  /** commands that run in it */
  readonly executions: readonly { readonly id: string; readonly startedAt: string }[]
}

/** Why a box takes no commands, whatever its state; `waits`: they are taken a little later, by themselves. */
export interface Held {
  readonly code: ErrorCode
  readonly message: string
  readonly waits: boolean
}

export interface PendingTimer {
  /** as `timer.fired` will have it */
  readonly id: string
  /** what the machine calls the delay */
  readonly delay: string
  /** ISO time; it may have passed */
  readonly dueAt: string
}

/** The record that asked for it; absent where that is too far back, or damaged. */
export interface Asker {
  readonly position?: number
  readonly at?: string
  readonly event?: string
}

/** `state` is undefined for a box of which nothing can be read. */
export async function explain(
  engine: Engine,
  box: BoxInfo,
  state: BoxState | undefined,
): Promise<Explanation> {
  const held = heldBy(engine, box)
  const asker = async (asked: Asked): Promise<Asker> => {
    const record = await askerOf(engine.ledger.past, { box: box.id, version: box.version }, asked)
    return record === undefined ? {} : { position: record.position, at: record.at, event: record.event.type }
  }
  const [effects, timers] = await Promise.all([
    Promise.all(
      Object.values(state?.effects ?? {}).map(async effect => ({ ...effect, ...(await asker({ effect })) })),
    ),
    Promise.all(
      Object.values(state?.timers ?? {}).map(async timer => ({
        id: timer.id,
        delay: delayOf(timer.id),
        dueAt: new Date(timer.dueAt).toISOString(),
        ...(await asker({ timer })),
      })),
    ),
  ])
  const running = [...engine.ledger.executions()].filter(({ state: { context } }) => context.box === box.id)
  return {
    box,
    accepts: state === undefined || held?.waits === false ? [] : accepts(state),
    ...(held === undefined ? {} : { held }),
    effects,
    timers,
    executions: running.map(({ state: { context } }) => ({
      id: context.id,
      startedAt: new Date(context.startedAt).toISOString(),
    })),
  }
}

function heldBy(engine: Engine, { id, parked, recovering }: BoxInfo): Held | undefined {
  if (parked !== undefined) return heldFor(damaged(id, parked), false)
  if (engine.isInert) return heldFor(inertError(engine.home), false)
  const { failure } = engine.ledger
  if (failure !== undefined) return heldFor(failure, failure.retryable)
  if (!recovering) return undefined
  return { code: 'BUSY', message: 'The host is being asked what became of it', waits: true }
}

function heldFor({ code, message }: { code: ErrorCode; message: string }, waits: boolean): Held {
  return { code, message, waits }
}
