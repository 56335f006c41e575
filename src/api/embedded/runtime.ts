import {
  assertWanted,
  type BoxInfo,
  closedError,
  type Engine,
  type Explanation,
  type ForkEvent,
  type ForkResult,
  lifecycle,
  type RuntimeMetrics,
  records,
  type StreamOptions,
  whileWanted,
  withStrays,
} from '../../engine/index.ts'
import { BoxError, type Difference, type LedgerRecord } from '../../machines/index.ts'
import type { ArchiveReport, CompactReport, ImportReport, VerifyReport } from '../../store/index.ts'
import type { Moment } from '../audit.ts'
import type { CommandOptions, EventsOptions, RemoveOptions } from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { checkIdOrName, checkVerdict } from '../id-or-name.ts'
import { newBox } from '../new-box.ts'
import { Observable } from '../observable.ts'
import { observeEvents } from '../observe.ts'
import { type BoxOptions, check, shapes } from '../options.ts'
import type { ListFilter } from '../runtime-options.ts'
import { Subscription } from '../subscription.ts'
import type { DurableSubscription, SubscriptionOptions, Subscriptions } from '../subscriptions.ts'
import { checkLines, type ExportOptions } from '../transfer.ts'
import { EmbeddedAudit } from './audit.ts'
import { EmbeddedBox } from './box.ts'
import { createBox, getOrCreateBox } from './creation.ts'
import { EmbeddedImages } from './images.ts'
import { LookUp } from './look-up.ts'
import { subscriptionSource, subscriptionsOf } from './subscriptions.ts'
import { exportLines } from './transfer.ts'

/** What is around the engine's close. */
export type AroundClose = (close: () => Promise<void>) => Promise<void>

/** The engine of one home, in this process. */
export class EmbeddedRuntime implements BoxRuntime {
  readonly images: EmbeddedImages
  readonly subscriptions: Subscriptions
  readonly #engine: Engine
  readonly #lookUp: LookUp
  readonly #audit: EmbeddedAudit
  readonly #around: AroundClose
  #closing: Promise<void> | undefined

  constructor(engine: Engine, around: AroundClose = close => close()) {
    this.#engine = engine
    this.images = new EmbeddedImages(engine)
    this.subscriptions = subscriptionsOf(engine)
    this.#lookUp = new LookUp(engine)
    this.#audit = new EmbeddedAudit(engine, () => this.#boxes)
    this.#around = around
  }

  async create(options: BoxOptions = {}, c: CommandOptions = {}): Promise<EmbeddedBox> {
    const wanted = newBox(options)
    const meta = this.#command(c)
    return whileWanted(meta.signal, async () => createBox(this.#opened, wanted, meta))
  }

  async getOrCreate(
    options: BoxOptions & { name: string },
    c: CommandOptions = {},
  ): Promise<{ box: EmbeddedBox; created: boolean; differs: string[] }> {
    const wanted = newBox(options)
    const meta = this.#command(c)
    const { name } = wanted
    if (name === undefined)
      throw new BoxError('INVALID_ARGUMENT', 'name is needed', { details: { field: 'name' } })
    return whileWanted(meta.signal, async () => getOrCreateBox(this.#opened, name, wanted, meta))
  }

  async get(idOrName: string): Promise<EmbeddedBox | undefined> {
    const id = this.#boxes.living(idOrName)
    return id === undefined ? undefined : new EmbeddedBox(this.#engine, id)
  }

  async getInfo(idOrName: string): Promise<BoxInfo | undefined> {
    const id = this.#boxes.living(idOrName)
    return id === undefined ? undefined : this.#boxes.infoOf(id)
  }

  async exists(idOrName: string): Promise<boolean> {
    return this.#boxes.living(idOrName) !== undefined
  }

  async listInfo(filter: ListFilter = {}): Promise<BoxInfo[]> {
    return this.#boxes.list(check(shapes.list, filter, 'filter') as ListFilter)
  }

  async remove(idOrName: string, o: RemoveOptions = {}): Promise<void> {
    const given = check(shapes.remove, o, 'options') as RemoveOptions
    await this.#carryOut(idOrName, given, id => lifecycle.remove(this.#engine, id, given))
  }

  async rename(idOrName: string, name: string | null, c: CommandOptions = {}): Promise<void> {
    if (name !== null) check(shapes.name, name, 'name')
    const meta = this.#command(c)
    await this.#carryOut(idOrName, meta, id => lifecycle.rename(this.#engine, id, name, meta))
  }

  async resolve(idOrName: string, verdict: 'dead', c: CommandOptions = {}): Promise<void> {
    checkVerdict(verdict)
    const meta = this.#command(c)
    await this.#carryOut(idOrName, meta, id => lifecycle.resolve(this.#engine, id, meta))
  }

  async adopt(): Promise<void> {
    this.#assertOpen()
    await this.#engine.adopt()
  }

  async *events(o: EventsOptions = {}): AsyncGenerator<LedgerRecord, void, undefined> {
    yield* records(this.#engine, await this.streamOf(o))
  }

  /** What a reader asks for, checked, with its box by ID. */
  async streamOf(o: EventsOptions): Promise<StreamOptions> {
    const { box, ...given } = check(shapes.events, o, 'options') as EventsOptions
    assertWanted(given.signal)
    return box === undefined ? given : { ...given, box: await this.#boxes.any(box) }
  }

  events$(o: EventsOptions = {}): Observable<LedgerRecord> {
    // What is subscribed to keeps no process alive.
    const read = async function* (this: EmbeddedRuntime, given: EventsOptions) {
      yield* records(this.#engine, { ...(await this.streamOf(given)), holds: false })
    }
    return observeEvents(read.bind(this), o)
  }

  subscription(name: string, o: SubscriptionOptions = {}): DurableSubscription {
    return new Subscription(
      name,
      o,
      subscriptionSource(this.#engine, name, given => this.streamOf(given)),
    )
  }

  async *history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined> {
    yield* this.#engine.ledger.history(await this.#boxes.any(idOrName))
  }

  get changes$(): Observable<BoxInfo> {
    return new Observable(subscriber => {
      this.#assertOpen()
      subscriber.add(
        this.#engine.onChange((head, record) => {
          if (record !== undefined) subscriber.next(this.#engine.info(head))
        }),
      )
      subscriber.add(this.#engine.onClose(() => subscriber.complete()))
    })
  }

  get boxes$(): Observable<readonly BoxInfo[]> {
    return new Observable(subscriber => {
      let due: NodeJS.Immediate | undefined
      const emit = () => {
        due = undefined
        subscriber.next(this.#lookUp.all())
      }
      this.#assertOpen()
      emit()
      subscriber.add(
        this.#engine.onChange(() => {
          due ??= setImmediate(emit)
        }),
      )
      subscriber.add(() => clearImmediate(due))
      subscriber.add(this.#engine.onClose(() => subscriber.complete()))
    })
  }

  stateAt(id: string, at: Moment): Promise<BoxInfo> {
    return this.#audit.stateAt(id, at)
  }

  diff(id: string, a: number, b: number): Promise<Difference[]> {
    return this.#audit.diff(id, a, b)
  }

  why(position: number): Promise<LedgerRecord[]> {
    return this.#audit.why(position)
  }

  explain(idOrName: string): Promise<Explanation> {
    return this.#audit.explain(idOrName)
  }

  fork(id: string, at: { readonly version: number }, events: readonly ForkEvent[]): Promise<ForkResult> {
    return this.#audit.fork(id, at, events)
  }

  async metrics(): Promise<RuntimeMetrics> {
    this.#assertOpen()
    return this.#engine.metrics.read()
  }

  async verify(o: { readonly replay?: boolean; readonly box?: string } = {}): Promise<VerifyReport> {
    this.#assertOpen()
    const { replay, box } = check(shapes.verify, o, 'options')
    const id = box === undefined ? undefined : await this.#boxes.any(box)
    const report = await this.#engine.ledger.verify({
      ...(replay === undefined ? {} : { replay }),
      ...(id === undefined ? {} : { box: id }),
    })
    return id === undefined ? withStrays(report, this.#engine) : report
  }

  exportLedger(o: ExportOptions = {}): AsyncIterableIterator<string> {
    return exportLines(this.#engine, this.#lookUp, o)
  }

  async importLedger(lines: AsyncIterable<string>): Promise<ImportReport> {
    this.#assertOpen()
    checkLines(lines)
    return this.#engine.import(lines)
  }

  async archive(o: { readonly before: Date }): Promise<ArchiveReport> {
    this.#assertOpen()
    const { before } = check(shapes.archive, o, 'options')
    return this.#engine.ledger.archive(before.getTime())
  }

  async compact(): Promise<CompactReport> {
    this.#assertOpen()
    return this.#engine.ledger.compact()
  }

  async shutdown(o: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = check(shapes.shutdown, o, 'options')
    await lifecycle.stopAttached(this.#engine, timeoutMs)
    await this.close()
  }

  close(): Promise<void> {
    this.#closing ??= this.#around(async () => {
      await this.images.close()
      await this.#engine.close()
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Look-ups of a home that is open. */
  get #boxes(): LookUp {
    this.#assertOpen()
    return this.#lookUp
  }

  get #opened(): Engine {
    this.#assertOpen()
    return this.#engine
  }

  #command(c: CommandOptions): CommandOptions {
    return check(shapes.command, c, 'options') as CommandOptions
  }

  async #carryOut(
    idOrName: string,
    { commandId, signal }: CommandOptions,
    command: (id: string) => Promise<void>,
  ): Promise<void> {
    checkIdOrName(idOrName)
    return whileWanted(signal, async () => command(await this.#boxes.target(idOrName, commandId)))
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.#engine.isClosed) throw closedError()
  }
}
