import {
  assertWanted,
  type BoxActor,
  type BoxInfo,
  type BoxMetrics,
  closedError,
  type Engine,
  infoOf,
  infoOfParked,
  lifecycle,
  notFound,
  records,
  snapshots,
  whileWanted,
  within,
} from '../../engine/index.ts'
import type { BoxTag, Head, LedgerRecord } from '../../machines/index.ts'
import { consoleTail } from '../../vmm/index.ts'
import type {
  Box,
  BoxEventsOptions,
  CloneOptions,
  CommandOptions,
  ConsoleOptions,
  CopyOptions,
  EventsOptions,
  ExecOptions,
  RemoveOptions,
  StopOptions,
  WaitForOptions,
} from '../box.ts'
import type { Execution, RunningCommand } from '../execution.ts'
import { Observable } from '../observable.ts'
import { check, shapes } from '../options.ts'
import { longestMs, removedError, testOf } from '../waits.ts'
import { consoleOf } from './console.ts'
import { copy } from './copy.ts'
import { type BeginsCommands, beginExec, execution, type WantedCommand } from './exec.ts'
import { EmbeddedSnapshots } from './snapshots.ts'

/** A box of the engine in this process. */
export class EmbeddedBox implements Box, BeginsCommands {
  readonly id: string
  readonly snapshots: EmbeddedSnapshots
  readonly #engine: Engine

  constructor(engine: Engine, id: string) {
    this.#engine = engine
    this.id = id
    this.snapshots = new EmbeddedSnapshots(engine, id, () => this.#head())
  }

  get name(): string | undefined {
    return this.#engine.ledger.head(this.id)?.state.context.name ?? undefined
  }

  async info(): Promise<BoxInfo> {
    this.#assertOpen()
    const head = this.#engine.ledger.head(this.id)
    if (head !== undefined) return this.#engine.info(head)
    const parked = this.#engine.ledger.parked.get(this.id)
    return parked === undefined ? infoOf(await this.#removed()) : infoOfParked(this.id, parked)
  }

  async start(c: CommandOptions = {}): Promise<void> {
    const given = check(shapes.command, c, 'start') as CommandOptions
    await whileWanted(given.signal, () => lifecycle.start(this.#engine, this.id, given))
  }

  async stop(o: StopOptions = {}): Promise<void> {
    const given = check(shapes.stop, o, 'stop') as StopOptions
    await whileWanted(given.signal, () => lifecycle.stop(this.#engine, this.id, given))
  }

  async restart(c: CommandOptions = {}): Promise<void> {
    const given = check(shapes.command, c, 'restart') as CommandOptions
    await whileWanted(given.signal, () => lifecycle.restart(this.#engine, this.id, given))
  }

  async pause(c: CommandOptions = {}): Promise<void> {
    const given = check(shapes.command, c, 'pause') as CommandOptions
    await whileWanted(given.signal, () => lifecycle.pause(this.#engine, this.id, given))
  }

  async resume(c: CommandOptions = {}): Promise<void> {
    const given = check(shapes.command, c, 'resume') as CommandOptions
    await whileWanted(given.signal, () => lifecycle.resume(this.#engine, this.id, given))
  }

  async remove(o: RemoveOptions = {}): Promise<void> {
    const given = check(shapes.remove, o, 'remove') as RemoveOptions
    await whileWanted(given.signal, () => lifecycle.remove(this.#engine, this.id, given))
  }

  async wait(o: { readonly signal?: AbortSignal } = {}): Promise<BoxInfo> {
    const { signal } = check(shapes.wait, o, 'wait')
    assertWanted(signal)
    const head = await this.#head()
    return this.#engine.info(await lifecycle.untilDown(this.#engine, head, signal))
  }

  async waitFor(test: BoxTag | ((info: BoxInfo) => boolean), o: WaitForOptions = {}): Promise<BoxInfo> {
    const passes = testOf(test)
    const { signal, timeoutMs = Number.POSITIVE_INFINITY } = check(shapes.waitFor, o, 'waitFor')
    assertWanted(signal)
    const head = await this.#head()
    const wait = (until: AbortSignal | undefined) =>
      this.#engine.waiting.for(
        head,
        now => {
          const info = this.#engine.info(now)
          if (passes(info)) return info
          if (info.state === 'removed') throw removedError(this.id)
          return undefined
        },
        until,
      )
    if (timeoutMs > longestMs) return wait(signal)
    return within(this.#engine.world.clock, timeoutMs, limit =>
      wait(signal === undefined ? limit : AbortSignal.any([signal, limit])),
    )
  }

  exec(command: string, args: readonly string[] = [], o: ExecOptions = {}): Execution {
    return execution({ command, args, options: o }, (id, wanted) => this.beginExec(id, wanted))
  }

  beginExec(id: string, wanted: WantedCommand): Promise<RunningCommand> {
    return beginExec(this.#engine, this.id, id, wanted)
  }

  async copyIn(from: string, to: string, o: CopyOptions = {}): Promise<void> {
    this.#assertOpen()
    await copy(this.#engine, this.id, 'copyIn', [from, to], o)
  }

  async copyOut(from: string, to: string, o: CopyOptions = {}): Promise<void> {
    this.#assertOpen()
    await copy(this.#engine, this.id, 'copyOut', [from, to], o)
  }

  async clone(o: CloneOptions = {}): Promise<EmbeddedBox> {
    const { signal, name, snapshot, ...given } = check(shapes.clone, o, 'clone') as CloneOptions
    const work = () => snapshots.clone(this.#engine, this.id, { name, snapshot }, given)
    return await whileWanted(signal, async () => new EmbeddedBox(this.#engine, (await work()).box))
  }

  async *console(o: ConsoleOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const {
      follow = false,
      incarnation,
      of,
      tail,
      signal,
    } = check(shapes.console, o, 'console') as ConsoleOptions
    assertWanted(signal)
    const head = await this.#head()
    const wanted = incarnation ?? Math.max(1, head.state.context.incarnation)
    const place = { home: this.#engine.home, box: this.id, incarnation: wanted }
    const from = tail === undefined ? undefined : await consoleTail(place, of, tail)
    const reading = { incarnation: wanted, follow, signal, of, from, holds: true }
    for await (const { bytes } of consoleOf(this.#engine, head, reading)) yield bytes
  }

  async metrics(): Promise<BoxMetrics> {
    const head = await this.#head()
    const { boxMetrics, isInert, ledger } = this.#engine
    return boxMetrics.read(head, ledger.executionsOf(head.box), !isInert)
  }

  async *events(o: BoxEventsOptions = {}): AsyncGenerator<LedgerRecord, void, undefined> {
    const given = check(shapes.events, o, 'events') as EventsOptions
    assertWanted(given.signal)
    const from = given.from ?? (await this.#head()).createdPosition
    yield* records(this.#engine, { ...given, from, box: this.id })
  }

  get state$(): Observable<BoxInfo> {
    return new Observable(subscriber => {
      this.#assertOpen()
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

  get actor(): BoxActor {
    this.#assertOpen()
    const head = this.#engine.ledger.head(this.id)
    if (head !== undefined) return this.#engine.actorOf(head)
    this.#engine.assertSound(this.id)
    throw removedError(this.id)
  }

  #assertOpen(): void {
    if (this.#engine.isClosed) throw closedError()
  }

  async #head(): Promise<Head> {
    this.#assertOpen()
    return this.#engine.ledger.head(this.id) ?? (await this.#removed())
  }

  async #removed(): Promise<Head> {
    this.#engine.assertSound(this.id)
    const head = await this.#engine.ledger.removedHead(this.id)
    if (head === undefined) throw notFound(this.id)
    return head
  }
}
