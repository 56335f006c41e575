import {
  type Boundary,
  BoxError,
  type BoxState,
  type ExecutionState,
  isExecutionEvent,
  isRefusal,
  type RecordMeta,
  type StreamEvent,
  type StreamHead,
  step,
  stepExecution,
} from '../machines/index.ts'
import type { Committed, Ledger } from '../store/index.ts'
import { Causes } from './causes.ts'
import { Mailbox } from './mailbox.ts'
import type { World } from './world.ts'

export type CommandMeta = Pick<RecordMeta, 'commandId' | 'actor'> & { readonly expectedVersion?: number }

/** Refuses a command to a box that has moved on. */
export function assertVersion(
  head: StreamHead | undefined,
  { expectedVersion: expected }: CommandMeta,
): void {
  const actual = head?.version ?? 0
  if (expected === undefined || expected === actual) return
  throw new BoxError('WRONG_EXPECTED_VERSION', `The box is at version ${actual}`, {
    details: { expected, actual },
  })
}

/** Where events become durable: one mailbox a stream, in whose turns the step is taken and its transition appended. */
export class Turns {
  readonly #ledger: Ledger
  readonly #world: World
  readonly #boundary: Boundary
  readonly #step: typeof step
  readonly #causes: Causes
  readonly #mailboxes = new Map<string, Mailbox>()

  constructor(ledger: Ledger, world: World, boundary: Boundary, fold = step) {
    this.#ledger = ledger
    this.#world = world
    this.#boundary = boundary
    this.#step = fold
    this.#causes = new Causes(ledger.past)
  }

  /** Runs a turn of the stream's mailbox, once all earlier ones are over. */
  take<T>(stream: string, turn: () => Promise<T>): Promise<T> {
    const mailbox = this.#mailboxes.get(stream) ?? new Mailbox(() => this.#mailboxes.delete(stream))
    this.#mailboxes.set(stream, mailbox)
    return mailbox.run(turn)
  }

  /** Within a turn. Rejects with `INVALID_STATE` where the machine refuses a command. */
  async commit(
    stream: string,
    head: StreamHead | undefined,
    event: StreamEvent,
    meta: CommandMeta = {},
  ): Promise<Committed> {
    const at = this.#world.clock.now()
    const expectedVersion = head?.version ?? 0
    const input = { at, version: expectedVersion + 1 }
    const outcome = isExecutionEvent(event)
      ? stepExecution(head?.state as ExecutionState | undefined, event, input)
      : this.#step(head?.state as BoxState | undefined, event, input)
    if (isRefusal(outcome))
      throw new BoxError(
        'INVALID_STATE',
        `The box is ${outcome.state} and accepts ${outcome.accepts.join(', ') || 'nothing'}, not ${event.type}`,
        { details: { state: outcome.state, accepts: outcome.accepts, command: event.type } },
      )
    const cause = this.#causes.of(head, event)
    const leading = cause instanceof Promise ? await cause : cause
    this.#boundary(`before append ${event.type}`)
    const committed = await this.#ledger.append({
      box: stream,
      expectedVersion,
      transition: outcome,
      at,
      meta: {
        ...(meta.commandId === undefined ? {} : { commandId: meta.commandId }),
        ...(meta.actor === undefined ? {} : { actor: meta.actor }),
        ...(leading === undefined ? {} : { cause: leading }),
      },
    })
    this.#causes.note(committed)
    return committed
  }

  /** Resolves when no turn is under way. */
  async idle(): Promise<void> {
    while (this.#mailboxes.size > 0)
      await Promise.all([...this.#mailboxes.values()].map(mailbox => mailbox.idle()))
  }
}
