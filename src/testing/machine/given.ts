import {
  type BoxCommand,
  type BoxEvent,
  type BoxFact,
  type BoxState,
  step as boxStep,
  isCommand,
  isRefusal,
  pathOf,
  publicStateOf,
  type Refusal,
  type Transition,
} from '../../machines/index.ts'
import { compare, type Expected } from './expected.ts'
import type { Given } from './facts.ts'

export interface GivenOptions {
  /** a step of your own instead of the box machine's */
  readonly step?: typeof boxStep
}

/** Time between two events that say nothing of it, in `ms`. */
const betweenMs = 1_000

/**
 * Tells what the machine decides, without an engine: given what has happened, when one thing more happens, then.
 *
 * @example
 * given(running({ restart: { policy: 'always' } }))
 *   .when({ type: 'stop.requested', mode: 'kill' })
 *   .then({ state: 'stopping', effects: ['killVmm'] })
 *   .when({ type: 'vmm.exited', spawned: true, last: 'none', noShutdown: true })
 *   .then({ state: 'stopped', restarts: false })
 */
export function given(events: readonly Given[], options: GivenOptions = {}): Story {
  const story = new Story(options.step ?? boxStep)
  for (const event of events) story.tell(event)
  return story
}

/** What has happened to one box so far. */
export class Story {
  readonly #step: typeof boxStep
  #state: BoxState | undefined
  #version = 0
  #at = 0
  /** time of the last event */
  #fedAt = 0

  constructor(step: typeof boxStep) {
    this.#step = step
  }

  /** Throws before the box is created. */
  get state(): BoxState {
    if (this.#state === undefined) throw new TypeError('A story begins with created(…)')
    return this.#state
  }

  when(event: Given): When {
    const outcome = this.#take(event)
    return new When(this, outcome, this.#fedAt)
  }

  /** Throws where a command is refused: what is given has happened. */
  tell(event: Given): void {
    const outcome = this.#take(event)
    if (outcome !== undefined && isRefusal(outcome))
      throw new TypeError(
        `It is ${outcome.state} and accepts ${outcome.accepts.join(', ')}, not ${nameOf(event)}`,
      )
  }

  #take(event: Given): Transition | Refusal | undefined {
    if ('wait' in event) return this.#wait(event.wait)
    this.#at += betweenMs
    return this.#feed(this.#complete(event))
  }

  #complete(event: Exclude<Given, { wait: number }>): BoxEvent {
    if (isCommand(event as BoxEvent)) return event as BoxCommand
    return { incarnation: this.state.context.incarnation, ...event } as BoxFact
  }

  #feed(event: BoxEvent): Transition | Refusal {
    this.#fedAt = this.#at
    const outcome = this.#step(this.#state, event, { at: this.#at, version: this.#version + 1 })
    if (!isRefusal(outcome)) {
      this.#version += 1
      this.#state = outcome.state
    }
    return outcome
  }

  /** Fires what falls due, the earliest first; gives the last transition. */
  #wait(ms: number): Transition | Refusal | undefined {
    const end = this.#at + ms
    let last: Transition | Refusal | undefined
    for (;;) {
      const [next] = Object.values(this.state.timers).sort((a, b) => a.dueAt - b.dueAt)
      if (next === undefined || next.dueAt > end) break
      this.#at = Math.max(this.#at, next.dueAt)
      last = this.#feed({ type: 'timer.fired', timer: next.id, incarnation: this.state.context.incarnation })
    }
    this.#at = end
    return last
  }
}

/** One thing more has happened, or was asked for. */
class When {
  readonly #story: Story
  readonly #outcome: Transition | Refusal | undefined
  readonly #at: number

  constructor(story: Story, outcome: Transition | Refusal | undefined, at: number) {
    this.#story = story
    this.#outcome = outcome
    this.#at = at
  }

  /** Throws an error that names every difference. The story goes on with what it gives. */
  // biome-ignore lint/suspicious/noThenProperty: given, when, then is what it is called; awaiting it is an error, which says so.
  then(expected: Expected): Story {
    if (typeof expected !== 'object' || expected === null)
      throw new TypeError('then(…) takes what is to come of it; a story is not to be awaited')
    compare(expected, this.#actual())
    return this.#story
  }

  #actual(): Record<keyof Expected, unknown> {
    const { value, context } = this.#story.state
    const outcome = this.#outcome
    const refusal = outcome !== undefined && isRefusal(outcome) ? outcome : undefined
    const transition = outcome !== undefined && !isRefusal(outcome) ? outcome : undefined
    return {
      state: publicStateOf(value),
      path: pathOf(value),
      effects: (transition?.effects ?? []).map(({ type }) => type),
      timers: (transition?.timers.set ?? []).map(({ dueAt }) => dueAt - this.#at),
      ending: context.ending,
      incarnation: context.incarnation,
      restarts: context.restart.due,
      refused: refusal === undefined ? false : refusal.accepts,
    }
  }
}

function nameOf(event: Given): string {
  return 'wait' in event ? `a wait of ${event.wait} ms` : event.type
}
