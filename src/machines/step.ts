import type { Effect, EffectType, Timer } from './effects.ts'
import { type BoxCommand, type BoxEvent, isCommand, type StampedEvent } from './events.ts'
import { type BoxState, type PublicState, publicStateOf } from './state.ts'
import { acceptedOf, begin, feed, remember, type Wants } from './xstate.ts'

/** One event and what came of it. */
export interface Transition {
  readonly event: BoxEvent & { readonly incarnation: number }
  /** public states; empty before the first */
  readonly from: string
  readonly to: string
  /** effects that this transition asks for */
  readonly effects: readonly Effect[]
  readonly timers: { readonly set: readonly Timer[]; readonly cancelled: readonly string[] }
  /** state after it */
  readonly state: BoxState
}

/** A command that the machine does not accept in this state. */
export interface Refusal {
  readonly refused: true
  readonly state: PublicState
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

const probes: readonly BoxCommand[] = [
  { type: 'start.requested' },
  { type: 'stop.requested', mode: 'kill' },
  { type: 'restart.requested' },
  { type: 'pause.requested' },
  { type: 'resume.requested' },
  { type: 'remove.requested', force: false },
  { type: 'remove.requested', force: true },
  { type: 'box.renamed', name: null },
  { type: 'box.resolved', verdict: 'dead' },
]

export function isRefusal(outcome: Transition | Refusal): outcome is Refusal {
  return 'refused' in outcome
}

/** Commands that the machine accepts in a state, by type; a removal that has to be forced says so. */
export function accepts(state: BoxState): string[] {
  const taken = acceptedOf(
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
    return transitionOf(undefined, event, begin(stamped), { at, version })
  }
  if (isCommand(event)) {
    const wants = feed(state, stamped)
    if (!wants.taken) return { refused: true, state: publicStateOf(state.value), accepts: accepts(state) }
    return transitionOf(state, event, wants, { at, version })
  }
  const { incarnation } = state.context
  const isOfBox =
    event.type === 'incarnation.found' ? event.incarnation > incarnation : event.incarnation === incarnation
  if (!isOfBox) return unchanged(state, event)
  return transitionOf(state, event, feed(state, stamped), { at, version })
}

function unchanged(state: BoxState, event: BoxEvent & { readonly incarnation: number }): Transition {
  const name = publicStateOf(state.value)
  return { event, from: name, to: name, effects: [], timers: { set: [], cancelled: [] }, state }
}

function transitionOf(
  before: BoxState | undefined,
  event: BoxEvent,
  wants: Wants,
  { at, version }: StepInput,
): Transition {
  const { incarnation } = wants.context
  const asked = effectsOf(wants, version)
  const set = wants.delayed.map(({ id, delay }) => ({ id, dueAt: at + delay }))
  const fired = event.type === 'timer.fired' ? event.timer : undefined
  const cancelled = wants.cancelled.filter(id => id !== fired && before?.timers[id] !== undefined)
  const offset = 'offset' in event ? event.offset : undefined
  const state: BoxState = {
    value: wants.value,
    context: offset === undefined ? wants.context : { ...wants.context, eventOffset: offset },
    effects: effectsAfter(before?.effects ?? none, asked, wants.invoking),
    timers: timersAfter(before?.timers ?? none, set, fired, cancelled),
  }
  remember(state, wants)
  return {
    event: { incarnation, ...event },
    from: before ? publicStateOf(before.value) : '',
    to: publicStateOf(wants.value),
    effects: Object.values(asked),
    timers: { set, cancelled },
    state,
  }
}

/** What most states hold of effects and timers; shared, so that most steps make none. */
const none: Readonly<Record<string, never>> = {}

function effectsOf({ invoked, context }: Wants, version: number): BoxState['effects'] {
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
