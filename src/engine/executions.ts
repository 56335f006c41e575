import { type Actor, createActor } from 'xstate'
import {
  type Boundary,
  BoxError,
  type ExecutionFact,
  type ExecutionHead,
  type ExecutionOutcome,
  type ExecutionRequest,
  type HashedArguments,
  publicStateOf,
  streamOf,
} from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'
import {
  argumentsKey,
  type GuestChannel,
  hashArguments,
  type Program,
  type ProgramSpec,
} from '../vmm/index.ts'
import type { Channels } from './channels.ts'
import { executionActor } from './execution-actor.ts'
import { notFound } from './lookup.ts'
import type { Root } from './root.ts'
import { closedError } from './tail.ts'
import { pauseOn } from './time-limit.ts'
import type { Turns } from './turns.ts'
import type { Clock } from './world.ts'

export interface ExecutionsWorld {
  readonly home: string
  readonly ledger: Ledger
  readonly turns: Turns
  readonly channels: Channels
  readonly root: Root
  readonly clock: Clock
  readonly boundary: Boundary
  readonly record: (stream: string, fact: ExecutionFact) => Promise<void>
}

/** A command to be run in a box, and what the ledger is told of it. */
export interface Wanted {
  readonly box: string
  readonly id: string
  readonly program: ProgramSpec
  readonly recorded: Pick<ExecutionRequest, 'command' | 'arguments' | 'cwd' | 'user' | 'tty' | 'timeoutMs'>
  readonly actor: string | undefined
}

/** A command that runs. */
export interface RunningExecution {
  readonly program: Program
  /** resolves once it is recorded how it ended; rejects with `EXEC_LOST`, `ENGINE_CLOSED` or `ABORTED` */
  readonly outcome: Promise<ExecutionOutcome & { readonly exitCode: number }>
  /** kills it with all that it has started */
  abort(): void
}

type ExecutionActor = Actor<typeof executionActor>

interface Running {
  readonly wanted: Wanted
  readonly channel: GuestChannel
  readonly begin: (program: Program) => void
  readonly settle: (outcome: ExecutionOutcome | BoxError) => void
  actor?: ExecutionActor
}

/** How long a closing engine waits for the disk to take down what becomes of its executions, in `ms`. */
const closeMs = 1_000

/** Commands that run in boxes: an actor each, with a stream of its own in the ledger. */
export class Executions {
  readonly #world: ExecutionsWorld
  readonly #running = new Map<string, Running>()
  #key: Promise<Buffer> | undefined
  #isClosed = false

  constructor(world: ExecutionsWorld) {
    this.#world = world
  }

  /**
   * Records a command and then has it run, in a box that is up. Resolves when the guest was told to. Rejects with
   * `INVALID_STATE` for a box that does not run, `INVALID_ARGUMENT` for an ID that is used up, and as channels do.
   */
  async run(wanted: Wanted): Promise<RunningExecution> {
    const { ledger, turns, channels } = this.#world
    const { box, id, recorded, actor } = wanted
    const stream = streamOf({ box, execution: id })
    const channel = await channels.of(this.#headOf(box))
    const begun = deferred<Program>()
    const ended = deferred<ExecutionOutcome & { readonly exitCode: number }>()
    ended.promise.catch(() => {}) // told to whoever waits for it
    const running: Running = {
      wanted,
      channel,
      begin: begun.resolve,
      settle: outcome => {
        if (outcome instanceof BoxError) {
          begun.reject(outcome)
          ended.reject(outcome)
        } else if (outcome.exitCode === null) running.settle(lost(wanted, outcome.reason))
        else ended.resolve({ ...outcome, exitCode: outcome.exitCode })
      },
    }
    await turns.take(stream, async () => {
      if (this.#isClosed) throw closedError()
      const head = this.#headOf(box)
      const { incarnation } = head.state.context
      const state = publicStateOf(head.state.value)
      if (state !== 'running')
        throw new BoxError('INVALID_STATE', `Nothing can be run in box ${box}: it is ${state}`, {
          details: { state },
        })
      if (this.#running.has(stream) || ledger.execution(stream) !== undefined) throw usedUp(id)
      this.#running.set(stream, running)
      try {
        await turns.commit(
          stream,
          undefined,
          { type: 'exec.started', id, box, incarnation, ...recorded },
          actor === undefined ? {} : { actor },
        )
      } catch (error) {
        this.#running.delete(stream)
        throw BoxError.is(error, 'WRONG_EXPECTED_VERSION') ? usedUp(id) : error
      }
    })
    const program = await begun.promise
    return {
      program,
      outcome: ended.promise,
      abort: () => running.actor?.send({ type: 'kill', reason: 'aborted' }),
    }
  }

  /** What is recorded of arguments that are not to be. */
  async hash(args: readonly string[]): Promise<HashedArguments> {
    this.#key ??= argumentsKey(this.#world.home).catch((cause: NodeJS.ErrnoException) => {
      this.#key = undefined
      const code = cause.code === 'ENOSPC' || cause.code === 'EDQUOT' ? 'NO_SPACE' : 'ENGINE_FAILED'
      throw new BoxError(code, `The key that arguments are hashed with: ${cause.message}`, { cause })
    })
    return hashArguments(await this.#key, args)
  }

  /** Does what a durable record of an execution asks for, or tells who waits that it is over. */
  follow(head: ExecutionHead): void {
    const { box: stream, state } = head
    const running = this.#running.get(stream)
    if (state.context.outcome !== null) {
      this.#running.delete(stream)
      if (running?.actor !== undefined) this.#world.root.send({ type: 'end', child: running.actor })
      running?.settle(state.context.outcome)
    } else if (running === undefined)
      this.#lose(head, 'Its caller was told that it is not known to be recorded')
    else if (!this.#isClosed) this.#begin(head, running)
  }

  /** Executions of an earlier engine ended with it. They are never run again. */
  recover(): void {
    for (const head of this.#world.ledger.executions())
      if (!this.#running.has(head.box) && !this.#world.ledger.parked.has(head.box))
        this.#lose(head, 'The engine that ran it has ended')
  }

  /** Ends what runs. Waits until that is recorded, for a while. */
  async close(): Promise<void> {
    this.#isClosed = true
    const recorded = [...this.#running].map(async ([stream, { actor, wanted, settle }]) => {
      if (actor !== undefined) this.#world.root.send({ type: 'end', child: actor })
      const head = this.#world.ledger.execution(stream)
      if (head !== undefined) {
        const { incarnation } = head.state.context
        const reason = 'The engine that ran it was closed'
        await this.#world.record(stream, { type: 'exec.lost', incarnation, reason }).catch(() => {})
      }
      settle(lost(wanted, 'the engine was closed'))
    })
    await Promise.race([Promise.all(recorded), pauseOn(this.#world.clock, closeMs)])
    for (const { settle } of this.#running.values()) settle(closedError())
    this.#running.clear()
  }

  #begin({ box: stream, state }: ExecutionHead, running: Running): void {
    const { root, clock, boundary } = this.#world
    const { wanted, channel } = running
    const id = `exec/${wanted.box}/${wanted.id}`
    const actor = createActor(executionActor, {
      id,
      systemId: id,
      parent: root,
      input: {
        incarnation: state.context.incarnation,
        channel,
        program: wanted.program,
        timeoutMs: wanted.recorded.timeoutMs,
        clock,
        onBegun: running.begin,
        tell: fact => this.#tell(stream, fact),
      },
    })
    running.actor = actor
    boundary('before running a command')
    actor.start()
    boundary('after running a command')
  }

  #lose({ box: stream, state }: ExecutionHead, reason: string): void {
    this.#tell(stream, { type: 'exec.lost', incarnation: state.context.incarnation, reason })
  }

  #tell(stream: string, fact: ExecutionFact): void {
    this.#world.record(stream, fact).catch(error => {
      if (!BoxError.is(error, 'ENGINE_CLOSED')) throw error
    })
  }

  #headOf(box: string) {
    const head = this.#world.ledger.head(box)
    if (head === undefined) throw notFound(box)
    return head
  }
}

function lost({ box, id }: Wanted, reason = 'nobody knows why'): BoxError {
  return new BoxError('EXEC_LOST', `It is not known how execution ${id} in box ${box} ended: ${reason}`, {
    details: { box, execution: id },
  })
}

function usedUp(id: string): BoxError {
  return new BoxError('INVALID_ARGUMENT', `The ID ${id} is that of an earlier execution`, {
    details: { field: 'id', execution: id },
  })
}

/** A promise that is settled from outside. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: BoxError) => void = () => {}
  const promise = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}
