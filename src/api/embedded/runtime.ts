import { isDeepStrictEqual } from 'node:util'
import {
  type BoxInfo,
  type Engine,
  find,
  findExact,
  hasSecrets,
  infoOfParked,
  lifecycle,
  notFound,
  records,
  type StreamOptions,
  withStrays,
} from '../../engine/index.ts'
import { BoxError, type Head, type LedgerRecord } from '../../machines/index.ts'
import type { ArchiveReport, CompactReport, VerifyReport } from '../../store/index.ts'
import type { CommandOptions, EventsOptions, RemoveOptions } from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { checkIdOrName, checkVerdict } from '../id-or-name.ts'
import { Observable } from '../observable.ts'
import { observeEvents } from '../observe.ts'
import { type BoxOptions, check, type NormalOptions, normalise, shapes } from '../options.ts'
import type { ListFilter } from '../runtime-options.ts'
import { EmbeddedBox } from './box.ts'

/** What has to be over before the engine closes. */
export type BeforeClose = () => Promise<void>

/** The engine of one home, in this process. */
export class EmbeddedRuntime implements BoxRuntime {
  readonly #engine: Engine
  readonly #beforeClose: BeforeClose
  #closing: Promise<void> | undefined

  constructor(engine: Engine, beforeClose: BeforeClose = async () => {}) {
    this.#engine = engine
    this.#beforeClose = beforeClose
  }

  async create(options: BoxOptions = {}, c: CommandOptions = {}): Promise<EmbeddedBox> {
    return this.#create(normalise(options), this.#command(c))
  }

  async getOrCreate(
    options: BoxOptions & { name: string },
    c: CommandOptions = {},
  ): Promise<{ box: EmbeddedBox; created: boolean; differs: string[] }> {
    const wanted = normalise(options)
    const meta = this.#command(c)
    const { name } = wanted
    if (name === undefined)
      throw new BoxError('INVALID_ARGUMENT', 'name is needed', { details: { field: 'name' } })
    for (;;) {
      const head = this.#engine.projections.byName(name)
      if (head !== undefined) {
        // The same command again, its answer lost: the same answer.
        const own = meta.commandId && (await this.#engine.ledger.command(meta.commandId))?.box === head.box
        if (own) return { box: this.#box(head), created: true, differs: [] }
        const differs = differences(options, wanted, head)
        if (wanted.secrets && !(await hasSecrets(this.#engine.home, head.box, wanted.secrets)))
          differs.push('secrets')
        return { box: this.#box(head), created: false, differs }
      }
      try {
        return { box: await this.#create(wanted, meta), created: true, differs: [] }
      } catch (error) {
        const rival = this.#engine.ledger.claimant(name)
        if (!BoxError.is(error, 'NAME_TAKEN') || rival === undefined) throw error
        await this.#engine.submit(rival, () => undefined)
      }
    }
  }

  async get(idOrName: string): Promise<EmbeddedBox | undefined> {
    const id = this.#idOfAny(idOrName)
    return id === undefined ? undefined : new EmbeddedBox(this.#engine, id)
  }

  async getInfo(idOrName: string): Promise<BoxInfo | undefined> {
    const id = this.#idOfAny(idOrName)
    return id === undefined ? undefined : this.#infoOf(id)
  }

  async exists(idOrName: string): Promise<boolean> {
    return this.#idOfAny(idOrName) !== undefined
  }

  async listInfo(filter: ListFilter = {}): Promise<BoxInfo[]> {
    this.#assertOpen()
    const given = check(shapes.list, filter, 'filter') as ListFilter
    const listed = this.#engine.projections.list(given).map(head => this.#engine.info(head))
    const { states, names, labels, limit = Number.POSITIVE_INFINITY } = given
    if (names !== undefined || labels !== undefined || (states !== undefined && !states.includes('unknown')))
      return listed
    return [...listed, ...this.#unread()].slice(0, limit)
  }

  async remove(idOrName: string, o: RemoveOptions = {}): Promise<void> {
    const given = check(shapes.remove, o, 'options') as RemoveOptions
    const head = await this.#exact(idOrName, given.commandId)
    if (head !== undefined) await lifecycle.remove(this.#engine, head.box, given)
  }

  async rename(idOrName: string, name: string | null, c: CommandOptions = {}): Promise<void> {
    if (name !== null) check(shapes.name, name, 'name')
    const meta = this.#command(c)
    const head = await this.#exact(idOrName, meta.commandId)
    if (head !== undefined) await lifecycle.rename(this.#engine, head.box, name, meta)
  }

  async resolve(idOrName: string, verdict: 'dead', c: CommandOptions = {}): Promise<void> {
    checkVerdict(verdict)
    const meta = this.#command(c)
    const head = await this.#exact(idOrName, meta.commandId)
    if (head !== undefined) await lifecycle.resolve(this.#engine, head.box, meta)
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
    return box === undefined ? given : { ...given, box: await this.#idOf(box) }
  }

  events$(o: EventsOptions = {}): Observable<LedgerRecord> {
    return observeEvents(this, o)
  }

  async *history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined> {
    yield* this.#engine.ledger.history(await this.#idOf(idOrName))
  }

  get changes$(): Observable<BoxInfo> {
    return new Observable(subscriber => {
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
        subscriber.next(this.#engine.projections.list({}).map(head => this.#engine.info(head)))
      }
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

  async verify(o: { readonly replay?: boolean; readonly box?: string } = {}): Promise<VerifyReport> {
    this.#assertOpen()
    const { replay, box } = check(shapes.verify, o, 'options')
    const id = box === undefined ? undefined : await this.#idOf(box)
    const report = await this.#engine.ledger.verify({
      ...(replay === undefined ? {} : { replay }),
      ...(id === undefined ? {} : { box: id }),
    })
    return id === undefined ? withStrays(report, this.#engine) : report
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
    this.#closing ??= this.#beforeClose().finally(() => this.#engine.close())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #box(head: Head): EmbeddedBox {
    return new EmbeddedBox(this.#engine, head.box)
  }

  async #create(wanted: NormalOptions, c: CommandOptions): Promise<EmbeddedBox> {
    this.#assertOpen()
    return this.#box(await lifecycle.create(this.#engine, wanted, c))
  }

  #command(c: CommandOptions): CommandOptions {
    return check(shapes.command, c, 'options') as CommandOptions
  }

  /** ID of a living box, one whose head cannot be read included. */
  #idOfAny(idOrName: string): string | undefined {
    const head = this.#find(idOrName)
    if (head !== undefined) return head.box
    const parked = this.#engine.ledger.parked.get(idOrName)
    return parked !== undefined && !parked.removed ? idOrName : undefined
  }

  #infoOf(id: string): BoxInfo | undefined {
    const head = this.#engine.ledger.head(id)
    return head === undefined ? this.#unread().find(info => info.id === id) : this.#engine.info(head)
  }

  /** Boxes whose heads are damaged: listed, so that nobody takes them for gone. */
  #unread(): BoxInfo[] {
    const { parked } = this.#engine.ledger
    return [...parked]
      .filter(([id, { removed }]) => !removed && this.#engine.ledger.head(id) === undefined)
      .map(([id, why]) => infoOfParked(id, why))
  }

  #find(idOrName: string): Head | undefined {
    this.#assertOpen()
    checkIdOrName(idOrName)
    return find(this.#engine.projections, idOrName)
  }

  async #exact(idOrName: string, commandId: string | undefined): Promise<Head | undefined> {
    this.#assertOpen()
    checkIdOrName(idOrName)
    const head = findExact(this.#engine.projections, idOrName)
    if (head !== undefined) return head
    if (commandId !== undefined && (await this.#engine.ledger.command(commandId)) !== undefined)
      return undefined
    throw notFound(idOrName)
  }

  async #idOf(idOrName: string): Promise<string> {
    const found = this.#find(idOrName)
    // A parked box may have no head: that it is damaged says more than that it is not found.
    if (found === undefined && this.#engine.ledger.parked.has(idOrName)) return idOrName
    const head = found ?? (await this.#engine.ledger.removedHead(idOrName))
    if (head === undefined) throw notFound(idOrName)
    return head.box
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.#engine.isClosed)
      throw new BoxError('ENGINE_CLOSED', 'The runtime was closed')
  }
}

/** Names of the options that were given and are not as the box has them. */
function differences(options: BoxOptions, wanted: NormalOptions, head: Head): string[] {
  const { spec, labels } = head.state.context
  const has: Record<string, unknown> = { ...spec, labels }
  const wants: Record<string, unknown> = { ...wanted.spec, labels: wanted.labels }
  return Object.entries(options)
    .filter(
      ([key, value]) => key !== 'name' && value !== undefined && !isDeepStrictEqual(wants[key], has[key]),
    )
    .map(([key]) => key)
}
