import {
  BoxError,
  type BoxFact,
  type ExecutionFact,
  type Head,
  type StopMode,
  type StreamEvent,
  type StreamHead,
} from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'
import { isNews } from './look-rules.ts'
import { closedError } from './tail.ts'
import { pauseOn } from './time-limit.ts'
import type { CommandMeta, Turns } from './turns.ts'
import type { World } from './world.ts'

export interface RecorderOptions {
  readonly ledger: Ledger
  readonly turns: Turns
  readonly clock: World['clock']
  /** the fact is recorded, or was known */
  readonly onRecorded: (box: string, fact: BoxFact) => void
}

/** How long what has to be recorded waits for the ledger before it is tried again, in `ms`. */
const retryAfter = 100

/** Records what cannot be refused: facts, and the stop of a box that ends with its owner. */
export class Recorder {
  readonly #options: RecorderOptions
  #isClosed = false

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** From now on nothing is recorded any more. */
  close(): void {
    this.#isClosed = true
  }

  record(box: string, fact: BoxFact): Promise<void> {
    const { ledger, turns, onRecorded } = this.#options
    return turns.take(box, async () => {
      await this.#insist(box, fact, {}, head =>
        fact.type === 'timer.fired'
          ? head.state.timers[fact.timer] !== undefined
          : isNews(head as Head, fact, ledger.previous),
      )
      onRecorded(box, fact)
    })
  }

  /** What became of an execution, by its stream; of one that is over already nothing more is recorded. */
  recordExecution(stream: string, fact: ExecutionFact): Promise<void> {
    return this.#options.turns.take(stream, () => this.#insist(stream, fact, {}, () => true))
  }

  /** A fact of the engine's own; that it is closing is the one reason for which it is not recorded. */
  tell(box: string, fact: BoxFact): void {
    this.record(box, fact).catch(error => {
      if (!BoxError.is(error, 'ENGINE_CLOSED')) throw error
    })
  }

  /** A stop that nobody asked for but the owner's end; a box that takes none is on its way already, or unknown. */
  stopForOwner(box: string, mode: StopMode, reason: string): Promise<void> {
    const event = { type: 'stop.requested', mode, reason } as const
    return this.#options.turns.take(box, async () => {
      try {
        await this.#insist(box, event, { actor: 'engine' }, () => true)
      } catch (error) {
        if (!BoxError.is(error, 'INVALID_STATE')) throw error
      }
    })
  }

  /** Within a turn: it is recorded, whatever it takes. While the ledger mends itself, it waits. */
  async #insist(
    stream: string,
    event: StreamEvent,
    meta: CommandMeta,
    isWanted: (head: StreamHead) => boolean,
  ): Promise<void> {
    const { ledger, turns, clock } = this.#options
    const headOf = () => ledger.head(stream) ?? ledger.execution(stream)
    for (;;) {
      if (this.#isClosed) throw closedError()
      const head = headOf()
      if (head === undefined || !isWanted(head)) return
      try {
        await turns.commit(stream, head, event, meta)
        return
      } catch (error) {
        if (!BoxError.is(error) || !(error.retryable || error.code === 'ENGINE_FAILED')) throw error
        await pauseOn(clock, retryAfter)
        const now = headOf()
        // Its write was rejected, and it is there all the same.
        if (now !== undefined && now.version > head.version && now.lastEvent === event.type) return
      }
    }
  }
}
