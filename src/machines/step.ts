import { boxMachine } from './box.ts'
import type { Effect, EffectType, Timer } from './effects.ts'
import { type BoxCommand, type BoxEvent, type BoxFact, isCommand, type StampedEvent } from './events.ts'
import { executionMachine } from './execution.ts'
import {
  type ExecutionEvent,
  type ExecutionStamped,
  type ExecutionState,
  type ExecutionStateName,
  isExecutionEvent,
} from './execution-events.ts'
import { snapshotsOf, withSnapshots } from './snapshots.ts'
import { type BoxContext, type BoxState, type PublicState, publicStateOf } from './state.ts'
import { PureMachine, type Wants } from './xstate.ts'

/** Facts about what outlives incarnations. */
const ofAnyIncarnation: ReadonlySet<string> = new Set<BoxFact['type']>([
  'snapshot.removed',
  'snapshot.removal.failed',
])

/** What the stream of a box, or of an execution, is folded to. */
export type StreamState = BoxState | ExecutionState
export type StreamEvent = BoxEvent | ExecutionEvent

/** One event and what came of it. */
export interface Transition<State extends StreamState = BoxState, Event extends StreamEvent = BoxEvent> {
  readonly event: Event & { readonly incarnation: number }
  /** public states; empty before the first */
  readonly from: string
  readonly to: string
  /** effects that this transition asks for */
  readonly effects: readonly Effect[]
  readonly timers: { readonly set: readonly Timer[]; readonly cancelled: readonly string[] }
  /** state after it */
  readonly state: State
}

export type ExecutionTransition = Transition<ExecutionState, ExecutionEvent>
export type StreamTransition = Transition | ExecutionTransition

/** A command that the machine does not accept in this state. */
export interface Refusal {
  readonly refused: true
  readonly state: PublicState | ExecutionStateName
  /** commands that it would accept, by type */
  readonly accepts: readonly string[]
}

/** What time and version the step is taken at; both arrive as data. */
export interface StepInput {
  /** in `ms since 1970` */
  readonly at: number
  /** version that the transition will have */
  readonly version: number
}

const box = new PureMachine<typeof boxMachine, BoxContext, StampedEvent>(boxMachine)
const execution = new PureMachine<typeof executionMachine, ExecutionState['context'], ExecutionStamped>(
  executionMachine,
)

/** The machine's own snapshot of a box's state, for `matches`, `can` and `hasTag`. */
export function snapshotOf(state: Pick<BoxState, 'value' | 'context'>) {
  return box.snapshotOf(state)
}
export type BoxSnapshot = ReturnType<typeof snapshotOf>

const probes: readonly BoxCommand[] = [
  { type: 'start.requested' },
  { type: 'stop.requested', mode: 'kill' },
  { type: 'restart.requested' },
  { type: 'pause.requested' },
  { type: 'resume.requested' },
  { type: 'snapshot.requested', name: 'any' },
  { type: 'remove.requested', force: false },
  { type: 'remove.requested', force: true },
  { type: 'box.renamed', name: null },
  { type: 'box.resolved', verdict: 'dead' },
]

export function isRefusal(outcome: StreamTransition | Refusal): outcome is Refusal {
  return 'refused' in outcome
}

/** Commands that the machine accepts in a state, by type; a removal that has to be forced says so. */
export function accepts(state: BoxState): string[] {
  const taken = box.acceptedOf(
    state,
    probes.map(command => ({ ...command, at: 0 })),
  )
  const types = taken.map(({ type }) => type)
  const isForcedOnly = types.filter(type => type === 'remove.requested').length === 1
  return [...new Set(types)].map(type =>
    type === 'remove.requested' && isForcedOnly ? 'remove.requested with force' : type,
  )
}

/**
 * Folds one event into a box's state. Pure: same input, same output, and nothing happens.
 *
 * A command that is not accepted gives a {@link Refusal}. A fact is always a transition, if only to the same state; a
 * fact about an incarnation that is over changes nothing, `incarnation.found` of one that is known neither.
 */
export function step(
  state: BoxState | undefined,
  event: BoxEvent,
  { at, version }: StepInput,
): Transition | Refusal {
  const stamped = { ...event, at } as StampedEvent
  if (state === undefined) {
    if (stamped.type !== 'box.created')
      throw new TypeError(`A box begins with box.created, not ${event.type}`)
    return boxTransition(undefined, event, box.begin(stamped), { at, version })
  }
  if (isCommand(event)) {
    const wants = box.feed(state, stamped)
    if (!wants.taken) return { refused: true, state: publicStateOf(state.value), accepts: accepts(state) }
    return boxTransition(state, event, wants, { at, version })
  }
  const { incarnation } = state.context
  const isOfBox =
    event.type === 'incarnation.found'
      ? event.incarnation > incarnation
      : event.incarnation === incarnation || ofAnyIncarnation.has(event.type)
  if (!isOfBox) return unchanged(state, event)
  return boxTransition(state, event, box.feed(state, stamped), { at, version })
}

function boxTransition(
  before: BoxState | undefined,
  event: BoxEvent,
  wants: Wants<BoxContext>,
  input: StepInput,
): Transition {
  const transition = transitionOf<BoxState, BoxEvent>(before, event, wants, input)
  const context = contextAfter(wants.context, event, input)
  const state = context === wants.context ? transition.state : { ...transition.state, context }
  box.remember(state, wants)
  return { ...transition, state }
}

/** What the machine itself is not told: places in files, and in the ledger. */
function contextAfter(context: BoxContext, event: BoxEvent, { version }: StepInput): BoxContext {
  if ('offset' in event && event.offset !== undefined) return { ...context, eventOffset: event.offset }
  const { saving } = snapshotsOf(context)
  if (event.type !== 'snapshot.requested' || saving === null) return context
  return { ...context, ...withSnapshots(context, { saving: { ...saving, version } }) }
}

/** The same of an execution. */
export function stepExecution(
  state: ExecutionState | undefined,
  event: ExecutionEvent,
  { at, version }: StepInput,
): ExecutionTransition | Refusal {
  const stamped = { ...event, at }
  if (state === undefined) {
    if (event.type !== 'exec.started')
      throw new TypeError(`An execution begins with exec.started, not ${event.type}`)
    return transitionOf<ExecutionState, ExecutionEvent>(undefined, event, execution.begin(stamped), {
      at,
      version,
    })
  }
  if (event.type === 'exec.started') return { refused: true, state: state.value, accepts: [] }
  const isOver = state.value !== 'running' || event.incarnation !== state.context.incarnation
  if (isOver) return unchanged(state, event)
  return transitionOf<ExecutionState, ExecutionEvent>(state, event, execution.feed(state, stamped), {
    at,
    version,
  })
}

/** The same of either. Throws where an event is none of this stream. */
export function stepStream(
  state: StreamState | undefined,
  event: StreamEvent,
  input: StepInput,
): StreamTransition | Refusal {
  const isOfExecution = isExecutionEvent(event)
  if (state !== undefined && 'box' in state.context !== isOfExecution)
    throw new TypeError(`${event.type} is no event of this stream`)
  return isOfExecution
    ? stepExecution(state as ExecutionState | undefined, event, input)
    : step(state as BoxState | undefined, event, input)
}

function unchanged<State extends StreamState, Event extends StreamEvent>(
  state: State,
  event: Event & { readonly incarnation: number },
): Transition<State, Event> {
  const name = publicStateOf(state.value)
  return { event, from: name, to: name, effects: [], timers: { set: [], cancelled: [] }, state }
}

function transitionOf<State extends StreamState, Event extends StreamEvent>(
  before: State | undefined,
  event: Event,
  wants: Wants<State['context']>,
  { at, version }: StepInput,
): Transition<State, Event> {
  const { incarnation } = wants.context
  const asked = effectsOf(wants, version)
  const set = wants.delayed.map(({ id, delay }) => ({ id, dueAt: at + delay }))
  const fired = event.type === 'timer.fired' ? event.timer : undefined
  const cancelled = wants.cancelled.filter(id => id !== fired && before?.timers[id] !== undefined)
  return {
    event: { incarnation, ...event },
    from: before ? publicStateOf(before.value) : '',
    to: publicStateOf(wants.value),
    effects: Object.values(asked),
    timers: { set, cancelled },
    state: {
      value: wants.value,
      context: wants.context,
      effects: effectsAfter(before?.effects ?? none, asked, wants.invoking),
      timers: timersAfter(before?.timers ?? none, set, fired, cancelled),
    } as State,
  }
}

/** What most states hold of effects and timers; shared, so that most steps make none. */
const none: Readonly<Record<string, never>> = {}

function effectsOf(
  { invoked, context }: Wants<{ readonly incarnation: number }>,
  version: number,
): BoxState['effects'] {
  if (invoked.length === 0) return none
  const effects: Record<string, Effect> = {}
  for (const [n, { id, src }] of invoked.entries())
    effects[id] = { id: `${version}.${n}`, type: src as EffectType, incarnation: context.incarnation }
  return effects
}

function effectsAfter(
  before: BoxState['effects'],
  asked: BoxState['effects'],
  invoking: readonly string[],
): BoxState['effects'] {
  if (invoking.length === 0) return none
  const kept = Object.entries(before).filter(([id]) => invoking.includes(id))
  return { ...Object.fromEntries(kept), ...asked }
}

function timersAfter(
  before: BoxState['timers'],
  set: readonly Timer[],
  fired: string | undefined,
  cancelled: readonly string[],
): BoxState['timers'] {
  const kept = Object.entries(before).filter(([id]) => id !== fired && !cancelled.includes(id))
  if (kept.length + set.length === 0) return none
  return { ...Object.fromEntries(kept), ...Object.fromEntries(set.map(timer => [timer.id, timer])) }
}
