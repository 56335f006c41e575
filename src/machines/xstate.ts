import {
  type AnyActorScope,
  type AnyStateMachine,
  createActor,
  type EventFrom,
  type SnapshotFrom,
} from 'xstate'
import type { StateValue } from './state.ts'

/**
 * All that knows how XState works inside: its pure transition, and the names under which it reports what it wants
 * done. To move to another XState is to rewrite this file.
 *
 * `transition()` of XState makes a new actor for every call; one scope that runs nothing, reused, halves the cost.
 */

/** What one transition wants done, as XState names it. */
export interface Wants<Context> {
  readonly snapshot: unknown
  readonly value: StateValue
  readonly context: Context
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

/** What the machine calls a delay, of the ID that XState gives it. */
export function delayOf(timer: string): string {
  return /^xstate\.after\.([^.]+)/.exec(timer)?.[1] ?? timer
}

interface Action {
  readonly type: string
  readonly params: unknown
}

interface Known<Context> {
  readonly value: StateValue
  readonly context: Context
}

type Stamped = { readonly type: string; readonly at: number }

/** A machine of which nothing is ever run: events go in, and what it wants done comes out. */
export class PureMachine<Machine extends AnyStateMachine, Context, Event extends Stamped> {
  readonly #machine: Machine
  readonly #scope: AnyActorScope
  readonly #actions: Action[] = []
  /** snapshots of states that came out of a step, so that the next step need not make them again */
  readonly #snapshots = new WeakMap<object, SnapshotFrom<Machine>>()

  constructor(machine: Machine) {
    // Without logics XState reports an invocation as it should, and makes no actor for it.
    this.#machine = machine.provide({
      actors: Object.fromEntries(
        Object.keys(machine.implementations.actors).map(src => [src, undefined]),
      ) as never,
    }) as Machine
    const host = createActor(this.#machine, { input: undefined as never })
    this.#scope = {
      self: host,
      system: host.system,
      id: host.id,
      sessionId: host.sessionId,
      logger: () => {},
      defer: () => {},
      emit: () => {},
      stopChild: () => {},
      actionExecutor: action => {
        this.#actions.push(action as unknown as Action)
      },
    }
  }

  begin(input: Event): Wants<Context> {
    this.#actions.length = 0
    return this.#read(this.#machine.getInitialSnapshot(this.#scope as never, input as never), true)
  }

  /** Feeds one event; runs nothing. Throws what a guard or an assignment throws. */
  feed(state: Known<Context>, event: Event): Wants<Context> {
    this.#actions.length = 0
    const before = this.snapshotOf(state)
    const timer = 'timer' in event && event.type === 'timer.fired' ? event.timer : undefined
    const input = timer === undefined ? event : { ...event, type: timer }
    const after = this.#machine.transition(before, input as EventFrom<Machine>, this.#scope as never)
    return this.#read(after, after !== before)
  }

  /** Notes that a state is what came of `wants`. */
  remember(state: { readonly context: Context }, wants: Wants<Context>): void {
    if (state.context === wants.context) this.#snapshots.set(state, wants.snapshot as SnapshotFrom<Machine>)
  }

  /** The machine's own snapshot of a state, for `matches`, `can` and `hasTag`. */
  snapshotOf(state: Known<Context>): SnapshotFrom<Machine> {
    const known = this.#snapshots.get(state)
    if (known !== undefined) return known
    return this.#machine.resolveState({
      value: state.value as never,
      context: state.context as never,
    }) as SnapshotFrom<Machine>
  }

  /** The events that the machine would take, of those given. */
  acceptedOf(state: Known<Context>, candidates: readonly Event[]): Event[] {
    const snapshot = this.snapshotOf(state) as { can(event: Event): boolean }
    return candidates.filter(event => snapshot.can(event))
  }

  #read(after: unknown, taken: boolean): Wants<Context> {
    const snapshot = after as {
      value: StateValue
      context: Context
      _nodes: readonly { invoke: readonly { id: string }[] }[]
    }
    const invoked: { id: string; src: string }[] = []
    const delayed: { id: string; delay: number }[] = []
    const cancelled: string[] = []
    for (const { type, params } of this.#actions.splice(0)) {
      const p = params as { id?: string; src?: string; delay?: number; sendId?: string }
      if (type === 'xstate.spawnChild') invoked.push({ id: p.id as string, src: p.src as string })
      else if (type === 'xstate.raise' && p.delay !== undefined)
        delayed.push({ id: p.id as string, delay: p.delay })
      else if (type === 'xstate.cancel') cancelled.push(p.sendId as string)
    }
    return {
      snapshot,
      value: snapshot.value,
      context: snapshot.context,
      taken,
      invoked,
      invoking: snapshot._nodes.flatMap(node => node.invoke.map(invocation => invocation.id)),
      delayed,
      cancelled,
    }
  }
}
