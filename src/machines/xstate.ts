import { type AnyActorScope, createActor, type EventFrom, type SnapshotFrom } from 'xstate'
import { boxMachine } from './box.ts'
import type { StampedEvent } from './events.ts'
import type { BoxContext, BoxState, StateValue } from './state.ts'

/**
 * All that knows how XState works inside: its pure transition, and the names under which it reports what it wants
 * done. To move to another XState is to rewrite this file.
 *
 * `transition()` of XState makes a new actor for every call; one scope that runs nothing, reused, halves the cost.
 */

export type BoxSnapshot = SnapshotFrom<typeof boxMachine>

/** What one transition wants done, as XState names it. */
export interface Wants {
  readonly snapshot: BoxSnapshot
  readonly value: StateValue
  readonly context: BoxContext
  /** the machine took the event, if only to stay where it is */
  readonly taken: boolean
  /** invocations begun: id and source */
  readonly invoked: readonly { readonly id: string; readonly src: string }[]
  /** ids of all invocations that hold now */
  readonly invoking: readonly string[]
  /** delays begun: id and `ms` */
  readonly delayed: readonly { readonly id: string; readonly delay: number }[]
  /** ids of delays called off */
  readonly cancelled: readonly string[]
}

interface Action {
  readonly type: string
  readonly params: unknown
}

/** Without logics XState reports an invocation as it should, and makes no actor for it. */
const machine = boxMachine.provide({
  actors: Object.fromEntries(
    Object.keys(boxMachine.implementations.actors).map(src => [src, undefined]),
  ) as never,
})

const actions: Action[] = []
const host = createActor(machine, { input: undefined as never })
const scope: AnyActorScope = {
  self: host,
  system: host.system,
  id: host.id,
  sessionId: host.sessionId,
  logger: () => {},
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  actionExecutor: action => {
    actions.push(action as unknown as Action)
  },
}

function read(snapshot: BoxSnapshot, taken: boolean): Wants {
  const invoked: { id: string; src: string }[] = []
  const delayed: { id: string; delay: number }[] = []
  const cancelled: string[] = []
  for (const { type, params } of actions.splice(0)) {
    const p = params as { id?: string; src?: string; delay?: number; sendId?: string }
    if (type === 'xstate.spawnChild') invoked.push({ id: p.id as string, src: p.src as string })
    else if (type === 'xstate.raise' && p.delay !== undefined)
      delayed.push({ id: p.id as string, delay: p.delay })
    else if (type === 'xstate.cancel') cancelled.push(p.sendId as string)
  }
  return {
    snapshot,
    value: snapshot.value as StateValue,
    context: snapshot.context,
    taken,
    invoked,
    invoking: snapshot._nodes.flatMap(node => node.invoke.map(invocation => invocation.id)),
    delayed,
    cancelled,
  }
}

/** Snapshots of states that came out of a step, so that the next step need not make them again. */
const snapshots = new WeakMap<object, BoxSnapshot>()

/** Notes that a state is what came of `wants`. */
export function remember(state: Pick<BoxState, 'context'>, wants: Wants): void {
  if (state.context === wants.context) snapshots.set(state, wants.snapshot)
}

/** The machine's own snapshot of a state, for `matches`, `can` and `hasTag`. */
export function snapshotOf(state: Pick<BoxState, 'value' | 'context'>): BoxSnapshot {
  const known = snapshots.get(state)
  if (known !== undefined) return known
  return machine.resolveState({ value: state.value as never, context: state.context }) as BoxSnapshot
}

export function begin(event: Extract<StampedEvent, { type: 'box.created' }>): Wants {
  actions.length = 0
  return read(machine.getInitialSnapshot(scope as never, event) as BoxSnapshot, true)
}

/** Feeds one event; runs nothing. Throws what a guard or an assignment throws. */
export function feed(state: Pick<BoxState, 'value' | 'context'>, event: StampedEvent): Wants {
  actions.length = 0
  const before = snapshotOf(state)
  const input = event.type === 'timer.fired' ? { ...event, type: event.timer } : event
  const after = machine.transition(before, input as EventFrom<typeof boxMachine>, scope as never)
  return read(after as BoxSnapshot, after !== before)
}

/** The events that the machine would take, of those given. */
export function acceptedOf(
  state: Pick<BoxState, 'value' | 'context'>,
  candidates: readonly StampedEvent[],
): StampedEvent[] {
  const snapshot = snapshotOf(state)
  return candidates.filter(event => snapshot.can(event))
}
