import { isDeepStrictEqual } from 'node:util'
import { from, Observable } from 'rxjs'
import {
  type BoxInfo,
  Engine,
  find,
  findExact,
  infoOfParked,
  lifecycle,
  notFound,
  records,
} from '../engine/index.ts'
import { BoxError, type Head, type LedgerRecord } from '../machines/index.ts'
import type { VerifyReport } from '../store/index.ts'
import { checkHome } from '../vmm/index.ts'
import { Box, type CommandOptions, type EventsOptions, type RemoveOptions } from './box.ts'
import { homeOf } from './home.ts'
import { type BoxOptions, check, type NormalOptions, normalise, shapes } from './options.ts'
import type { ListFilter, OpenOptions } from './runtime-options.ts'
import { engineName } from './version.ts'

/**
 * The engine of one home, embedded: this process is the home's owner until `close`.
 *
 * @example
 * await using runtime = await BoxRuntime.open({ home: '/var/lib/boxes' })
 * const { box } = await runtime.getOrCreate({ name: 'hello' })
 * await box.start()
 */
export class BoxRuntime {
  readonly #engine: Engine

  private constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * Resolves when the heads are loaded; boxes that the host is still being asked about are `recovering`. Rejects with
   * `ENGINE_LOCKED` (`details.pid` names the owner), `LEDGER_CORRUPT`, `FORMAT_UNSUPPORTED`, `NO_SPACE`.
   */
  static async open(options: OpenOptions = {}): Promise<BoxRuntime> {
    check(shapes.open, options, 'options')
    const home = homeOf(options.home, process.env)
    const problem = checkHome(home)
    if (problem !== undefined) throw new BoxError('INVALID_ARGUMENT', problem, { details: { field: 'home' } })
    const { vmm, clock, ids, seams, home: _, ...rest } = options
    return new BoxRuntime(
      await Engine.open({
        ...rest,
        ...seams,
        home,
        engine: engineName,
        vmm: { ...vmm, env: process.env },
        world: { ...(clock === undefined ? {} : { clock }), ...(ids === undefined ? {} : { boxId: ids }) },
      }),
    )
  }

  /** Records the box and starts nothing. Rejects with `INVALID_ARGUMENT` or `NAME_TAKEN`. */
  async create(options: BoxOptions = {}, c: CommandOptions = {}): Promise<Box> {
    return this.#create(normalise(options), this.#command(c))
  }

  /** The box of that name, made if there is none; an existing one is returned as it is. */
  async getOrCreate(
    options: BoxOptions & { name: string },
    c: CommandOptions = {},
  ): Promise<{ box: Box; created: boolean; differs: string[] }> {
    const wanted = normalise(options)
    const meta = this.#command(c)
    const { name } = wanted
    if (name === undefined)
      throw new BoxError('INVALID_ARGUMENT', 'name is needed', { details: { field: 'name' } })
    for (;;) {
      const head = this.#engine.projections.byName(name)
      if (head !== undefined)
        return { box: this.#box(head), created: false, differs: differences(options, wanted, head) }
      try {
        return { box: await this.#create(wanted, meta), created: true, differs: [] }
      } catch (error) {
        const rival = this.#engine.ledger.claimant(name)
        if (!BoxError.is(error, 'NAME_TAKEN') || rival === undefined) throw error
        await this.#engine.submit(rival, () => undefined)
      }
    }
  }

  /** By exact ID, exact name, or an ID prefix of at least 4 characters that is unique (else `AMBIGUOUS_ID`). */
  async get(idOrName: string): Promise<Box | undefined> {
    const id = this.#idOfAny(idOrName)
    return id === undefined ? undefined : new Box(this.#engine, id)
  }

  async getInfo(idOrName: string): Promise<BoxInfo | undefined> {
    const id = this.#idOfAny(idOrName)
    return id === undefined ? undefined : this.#infoOf(id)
  }

  async exists(idOrName: string): Promise<boolean> {
    return this.#idOfAny(idOrName) !== undefined
  }

  /** Newest first. */
  async listInfo(filter: ListFilter = {}): Promise<BoxInfo[]> {
    this.#assertOpen()
    const given = check(shapes.list, filter, 'filter') as ListFilter
    const listed = this.#engine.projections.list(given).map(head => this.#engine.info(head))
    const { states, names, labels, limit = Number.POSITIVE_INFINITY } = given
    if (names !== undefined || labels !== undefined || (states !== undefined && !states.includes('unknown')))
      return listed
    return [...listed, ...this.#unread()].slice(0, limit)
  }

  /** Exact ID or name only. Resolves when nothing is left but the history. */
  async remove(idOrName: string, o: RemoveOptions = {}): Promise<void> {
    const given = check(shapes.remove, o, 'options') as RemoveOptions
    const head = await this.#exact(idOrName, given.commandId)
    if (head !== undefined) await lifecycle.remove(this.#engine, head.box, given)
  }

  /** Exact ID or name only; `null` takes the name away. */
  async rename(idOrName: string, name: string | null, c: CommandOptions = {}): Promise<void> {
    if (name !== null) check(shapes.name, name, 'name')
    const meta = this.#command(c)
    const head = await this.#exact(idOrName, meta.commandId)
    if (head !== undefined) await lifecycle.rename(this.#engine, head.box, name, meta)
  }

  /** An operator's word for a box that cannot be looked at: its VMM is dead. */
  async resolve(idOrName: string, verdict: 'dead', c: CommandOptions = {}): Promise<void> {
    if (verdict !== 'dead')
      throw new BoxError('INVALID_ARGUMENT', "verdict must be 'dead'", { details: { field: 'verdict' } })
    const meta = this.#command(c)
    const head = await this.#exact(idOrName, meta.commandId)
    if (head !== undefined) await lifecycle.resolve(this.#engine, head.box, meta)
  }

  /** Records by position, lossless; with `follow` also those to come, until `signal` or `close`. */
  async *events(o: EventsOptions = {}): AsyncGenerator<LedgerRecord, void, undefined> {
    const { box, ...given } = check(shapes.events, o, 'options') as EventsOptions
    const id = box === undefined ? undefined : await this.#idOf(box)
    yield* records(this.#engine, { ...given, ...(id === undefined ? {} : { box: id }) })
  }

  events$(o: EventsOptions = {}): Observable<LedgerRecord> {
    return from(this.events(o))
  }

  /** A box's records by version; of a removed one, by ID. */
  async *history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined> {
    yield* this.#engine.ledger.history(await this.#idOf(idOrName))
  }

  /** One for each transition, in order, of all boxes. */
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

  /** All boxes, newest first: at once, and then at most once a turn of the event loop. */
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

  /** Checks the ledger from its first record to its last; `replay` folds every box anew as well. */
  async verify(o: { readonly replay?: boolean; readonly box?: string } = {}): Promise<VerifyReport> {
    this.#assertOpen()
    const { replay, box } = check(shapes.verify, o, 'options')
    const id = box === undefined ? undefined : await this.#idOf(box)
    return this.#engine.ledger.verify({
      ...(replay === undefined ? {} : { replay }),
      ...(id === undefined ? {} : { box: id }),
    })
  }

  /** Stops in good order what is not to outlive this process, then closes. */
  async shutdown(_o: { readonly timeoutMs?: number } = {}): Promise<void> {
    await this.close()
  }

  /** Frees the home at once; boxes run on. Idempotent. */
  close(): Promise<void> {
    return this.#engine.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #box(head: Head): Box {
    return new Box(this.#engine, head.box)
  }

  async #create(wanted: NormalOptions, c: CommandOptions): Promise<Box> {
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
    return this.#engine.ledger.parked.has(idOrName) ? idOrName : undefined
  }

  #infoOf(id: string): BoxInfo | undefined {
    const head = this.#engine.ledger.head(id)
    return head === undefined ? this.#unread().find(info => info.id === id) : this.#engine.info(head)
  }

  /** Boxes whose heads are damaged: listed, so that nobody takes them for gone. */
  #unread(): BoxInfo[] {
    const { parked } = this.#engine.ledger
    return [...parked]
      .filter(([id]) => this.#engine.ledger.head(id) === undefined)
      .map(([id, why]) => infoOfParked(id, why))
  }

  #find(idOrName: string): Head | undefined {
    this.#assertOpen()
    assertString(idOrName)
    return find(this.#engine.projections, idOrName)
  }

  /** The box of an ID or name; nothing, if this very command has been carried out before and the box is gone. */
  async #exact(idOrName: string, commandId: string | undefined): Promise<Head | undefined> {
    this.#assertOpen()
    assertString(idOrName)
    const head = findExact(this.#engine.projections, idOrName)
    if (head !== undefined) return head
    if (commandId !== undefined && (await this.#engine.ledger.command(commandId)) !== undefined)
      return undefined
    throw notFound(idOrName)
  }

  async #idOf(idOrName: string): Promise<string> {
    const head = this.#find(idOrName) ?? (await this.#engine.ledger.removedHead(idOrName))
    if (head === undefined) throw notFound(idOrName)
    return head.box
  }

  #assertOpen(): void {
    if (this.#engine.isClosed) throw new BoxError('ENGINE_CLOSED', 'The runtime was closed')
  }
}

function assertString(idOrName: unknown): void {
  if (typeof idOrName !== 'string')
    throw new BoxError('INVALID_ARGUMENT', 'An ID or a name is a string', { details: { field: 'idOrName' } })
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
