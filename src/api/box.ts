import { Observable } from 'rxjs'
import {
  type BoxActor,
  type BoxInfo,
  type Engine,
  infoOf,
  infoOfParked,
  lifecycle,
  records,
  tagOf,
} from '../engine/index.ts'
import { BoxError, type BoxTag, type Head, type LedgerRecord, type StopMode } from '../machines/index.ts'
import { readConsole } from '../vmm/index.ts'
import { check, shapes } from './options.ts'

export interface CommandOptions {
  /** the same ID twice: the same result, done once */
  readonly commandId?: string
  /** refuse unless the box is at this version */
  readonly expectedVersion?: number
  /** who asks, kept in the record */
  readonly actor?: string
  /** ends the wait, not what was asked for */
  readonly signal?: AbortSignal
}

export type StopOptions = { readonly timeoutMs?: number; readonly mode?: StopMode } & CommandOptions
export type RemoveOptions = { readonly force?: boolean } & CommandOptions
export interface WaitForOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}
export interface ConsoleOptions {
  readonly follow?: boolean
  readonly incarnation?: number
  readonly signal?: AbortSignal
}

/** What can be read of the ledger. */
export interface EventsOptions {
  /** first position, inclusive; default 1 */
  readonly from?: number
  /** ID or name */
  readonly box?: string
  readonly types?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** go on with what comes */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/**
 * A handle of one box; stays usable whatever happens to the box. Every method may reject with `NOT_FOUND` once the
 * box was removed, and with `ENGINE_CLOSED`.
 *
 * @example
 * const box = await runtime.create({ name: 'hello' })
 * await box.start()
 * await box.stop()
 */
export class Box {
  readonly id: string
  readonly #engine: Engine

  constructor(engine: Engine, id: string) {
    this.#engine = engine
    this.id = id
  }

  get name(): string | undefined {
    return this.#engine.ledger.head(this.id)?.state.context.name ?? undefined
  }

  /** Its latest durable state, also after it was removed. */
  async info(): Promise<BoxInfo> {
    const head = this.#engine.ledger.head(this.id)
    if (head !== undefined) return this.#engine.info(head)
    const parked = this.#engine.ledger.parked.get(this.id)
    return parked === undefined ? infoOf(await this.#removed()) : infoOfParked(this.id, parked)
  }

  /**
   * Resolves when the box is ready, at once if it is up. Rejects with `VMM_NOT_FOUND`, `VMM_START_FAILED`,
   * `VMM_TIMEOUT`, `BOOT_FAILED`, `VMM_GONE` (the box is then `failed`), `GUEST_UNREACHABLE` (it runs on), or
   * `ABORTED` when it was stopped meanwhile.
   */
  start(c: CommandOptions = {}): Promise<void> {
    return lifecycle.start(this.#engine, this.id, check(shapes.command, c, 'start') as CommandOptions)
  }

  /** Resolves when the box is down. Time for the guest to power off: `timeoutMs`, default the spec's. */
  stop(o: StopOptions = {}): Promise<void> {
    return lifecycle.stop(this.#engine, this.id, check(shapes.stop, o, 'stop') as StopOptions)
  }

  restart(c: CommandOptions = {}): Promise<void> {
    return lifecycle.restart(this.#engine, this.id, check(shapes.command, c, 'restart') as CommandOptions)
  }

  pause(c: CommandOptions = {}): Promise<void> {
    return lifecycle.pause(this.#engine, this.id, check(shapes.command, c, 'pause') as CommandOptions)
  }

  resume(c: CommandOptions = {}): Promise<void> {
    return lifecycle.resume(this.#engine, this.id, check(shapes.command, c, 'resume') as CommandOptions)
  }

  /** Resolves when nothing is left but the history. Without `force` a box that is up is `INVALID_STATE`. */
  remove(o: RemoveOptions = {}): Promise<void> {
    return lifecycle.remove(this.#engine, this.id, check(shapes.remove, o, 'remove') as RemoveOptions)
  }

  /** Resolves when the box is down with no restart left, or gone. */
  async wait(o: { readonly signal?: AbortSignal } = {}): Promise<BoxInfo> {
    const { signal } = check(shapes.wait, o, 'wait')
    const head = await lifecycle.untilDown(this.#engine, await this.#head(), signal)
    return this.#engine.info(head)
  }

  /** Resolves with the first state that passes, the current one included; `ABORTED` after `timeoutMs`. */
  async waitFor(test: BoxTag | ((info: BoxInfo) => boolean), o: WaitForOptions = {}): Promise<BoxInfo> {
    if (typeof test !== 'function' && !['up', 'busy', 'down', 'gone'].includes(test))
      throw new BoxError(
        'INVALID_ARGUMENT',
        `test must be a function or a tag, not ${JSON.stringify(test)}`,
        {
          details: { field: 'test' },
        },
      )
    const { signal, timeoutMs } = check(shapes.waitFor, o, 'waitFor')
    const limits = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)].filter(
      limit => limit !== undefined,
    )
    const passes = typeof test === 'function' ? test : (info: BoxInfo) => tagOf(info) === test
    return this.#engine.waiting.for(
      await this.#head(),
      head => {
        const info = this.#engine.info(head)
        return passes(info) ? info : undefined
      },
      limits.length === 0 ? undefined : AbortSignal.any(limits),
    )
  }

  /** Serial output of the last incarnation, or the given one; with `follow` until it is over, also if it has yet to begin. */
  async *console(o: ConsoleOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { follow, incarnation, signal } = check(shapes.console, o, 'console') as ConsoleOptions
    const head = await this.#head()
    const over = new AbortController()
    const wanted = incarnation ?? Math.max(1, head.state.context.incarnation)
    if (follow)
      this.#engine.waiting
        .for(
          head,
          ({ state: { context } }) =>
            context.incarnation > wanted || (context.incarnation === wanted && !context.open) || undefined,
          signal,
        )
        .then(
          () => over.abort(),
          () => over.abort(),
        )
    yield* readConsole({
      home: this.#engine.home,
      box: this.id,
      incarnation: wanted,
      follow: follow ?? false,
      signal: over.signal,
    })
  }

  /** This box's records, by version; with `follow` also those to come. */
  async *events(
    o: Omit<EventsOptions, 'box' | 'labels'> = {},
  ): AsyncGenerator<LedgerRecord, void, undefined> {
    const given = check(shapes.events, o, 'events') as EventsOptions
    const from = given.from ?? (await this.#head()).createdPosition
    yield* records(this.#engine, { ...given, from, box: this.id })
  }

  /** Starts with the current state; completes when the box is removed or the runtime closes. */
  get state$(): Observable<BoxInfo> {
    return new Observable(subscriber => {
      const head = this.#engine.ledger.head(this.id)
      if (head === undefined) {
        this.#removed().then(
          removed => {
            subscriber.next(infoOf(removed))
            subscriber.complete()
          },
          error => subscriber.error(error),
        )
        return
      }
      subscriber.next(this.#engine.info(head))
      subscriber.add(
        this.#engine.onChange(head => {
          if (head.box !== this.id) return
          const info = this.#engine.info(head)
          subscriber.next(info)
          if (info.state === 'removed') subscriber.complete()
        }),
      )
      subscriber.add(this.#engine.onClose(() => subscriber.complete()))
    })
  }

  /**
   * A real XState actor that follows the ledger: `subscribe`, `getSnapshot`, `matches`, `can`. `send` of a command
   * hands it to the box; facts cannot be sent. Throws `NOT_FOUND` for a box that was removed.
   */
  get actor(): BoxActor {
    const head = this.#engine.ledger.head(this.id)
    if (head === undefined) throw new BoxError('NOT_FOUND', `Box ${this.id} was removed`)
    return this.#engine.actorOf(head)
  }

  async #head(): Promise<Head> {
    return this.#engine.ledger.head(this.id) ?? (await this.#removed())
  }

  async #removed(): Promise<Head> {
    this.#engine.assertSound(this.id)
    const head = await this.#engine.ledger.removedHead(this.id)
    if (head === undefined) throw new BoxError('NOT_FOUND', `There is no box ${this.id}`)
    return head
  }
}
