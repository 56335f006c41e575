import {
  accepts,
  BoxError,
  type BoxEvent,
  type BoxState,
  commandOf,
  type Difference,
  differencesOf,
  isBoxState,
  isCommand,
  isExecutionEvent,
  isRefusal,
  plainStateOf,
  publicStateOf,
  quoted,
  schema,
  step,
  type Transition,
} from '../../machines/index.ts'
import type { PastHead } from '../../store/index.ts'
import type { Engine } from '../engine.ts'
import { type BoxInfo, infoOf } from '../info.ts'
import { headAt, pastInfo } from './state-at.ts'

/** An invented event; `at` is an ISO time, by default that of the step before. */
export type ForkEvent = BoxEvent & { readonly at?: string }

export interface ForkResult {
  /** the box as it was */
  readonly from: BoxInfo
  readonly steps: readonly ForkStep[]
  /** the box as it would be */
  readonly to: BoxInfo
}

/** What would have come of one event: a transition, or the refusal of a command, after which all is as before. */
export interface ForkStep extends Pick<Transition, 'event' | 'from' | 'to' | 'effects' | 'timers'> {
  /** that the record would have had; that of the step before for what is refused */
  readonly version: number
  readonly at: string
  readonly refused?: { readonly state: string; readonly accepts: readonly string[] }
  readonly differences: readonly Difference[]
}

/**
 * What would have come of invented events. The machine is stepped and nothing else: effects are listed, never run, and
 * nothing is recorded. Rejects with `INVALID_ARGUMENT` (`details.index`) for what is no event of a box.
 */
export async function fork(
  engine: Engine,
  box: string,
  version: number,
  events: readonly ForkEvent[],
): Promise<ForkResult> {
  const head = await headAt(engine, box, { version })
  const from = await pastInfo(engine, head)
  const steps: ForkStep[] = []
  let now = head
  for (const [index, { at: given, ...invented }] of events.entries()) {
    const at = given === undefined ? now.updatedAt : Date.parse(given)
    const event = invented as BoxEvent
    const outcome = outcomeOf(now, event, at, index)
    const before = now.state
    if ('refused' in outcome) steps.push(refusedStep(now, event, at, outcome))
    else {
      now = { ...now, version: now.version + 1, updatedAt: at, lastEvent: event.type, state: outcome.state }
      const { state, ...transition } = outcome
      steps.push({
        version: now.version,
        at: new Date(at).toISOString(),
        ...transition,
        differences: differencesOf(plainStateOf(before), plainStateOf(state)),
      })
    }
  }
  return { from, steps, to: infoOf(now, { executions: from.executions }) }
}

type Refused = { readonly refused: true; readonly state: string; readonly accepts: readonly string[] }

function outcomeOf(
  { state, version }: PastHead,
  event: BoxEvent,
  at: number,
  index: number,
): Transition | Refused {
  const isKnown = Object.hasOwn(schema.versions, event.type) && !isExecutionEvent(event)
  if (!isKnown) throw noEvent(index, `${quoted(event.type)} is no event of a box`)
  // It has been created, and nobody is asked for that a second time.
  if (event.type === 'box.created')
    return { refused: true, state: publicStateOf(state.value), accepts: accepts(state) }
  const whole = isCommand(event)
    ? commandIn(event, index)
    : ({ incarnation: state.context.incarnation, ...(event as object) } as BoxEvent)
  try {
    const outcome = step(state, whole, { at, version: version + 1 })
    if (isRefusal(outcome) || isBoxState(asStored(outcome.state))) return outcome as Transition | Refused
  } catch {
    // The machine reads what the event does not have.
  }
  throw noEvent(index, `${event.type} lacks something, or has what it should not`)
}

/** As it would be recorded. */
function commandIn(event: BoxEvent, index: number): BoxEvent {
  try {
    return commandOf(event)
  } catch (error) {
    throw noEvent(index, BoxError.is(error) ? error.message : String(error))
  }
}

function refusedStep(
  { version, state }: PastHead,
  event: BoxEvent,
  at: number,
  { state: name, accepts }: Refused,
): ForkStep {
  const { incarnation } = state.context
  return {
    version,
    at: new Date(at).toISOString(),
    event: { incarnation, ...event },
    from: name,
    to: name,
    effects: [],
    timers: { set: [], cancelled: [] },
    refused: { state: name, accepts },
    differences: [],
  }
}

function asStored(state: BoxState): unknown {
  return JSON.parse(JSON.stringify(state))
}

function noEvent(index: number, message: string): BoxError {
  return new BoxError('INVALID_ARGUMENT', `events.${index}: ${message}`, {
    details: { field: `events.${index}`, index },
  })
}
