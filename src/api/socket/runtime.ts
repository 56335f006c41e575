import type { Observable } from 'rxjs'
import type { BoxInfo, Explanation, ForkEvent, ForkResult, RuntimeMetrics } from '../../engine/index.ts'
import type { Difference, LedgerRecord } from '../../machines/index.ts'
import type { ArchiveReport, CompactReport, ImportReport, VerifyReport } from '../../store/index.ts'
import type { Moment } from '../audit.ts'
import type { Box, CommandOptions, EventsOptions, RemoveOptions } from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { checkVerdict } from '../id-or-name.ts'
import { linesOf } from '../lines.ts'
import { newBox } from '../new-box.ts'
import { observe, observeEvents } from '../observe.ts'
import { type BoxOptions, check, shapes } from '../options.ts'
import type { ListFilter } from '../runtime-options.ts'
import type { DurableSubscription, SubscriptionOptions } from '../subscriptions.ts'
import type { ExportOptions } from '../transfer.ts'
import { part, partCommand, wordOf } from './arguments.ts'
import { RemoteAudit } from './audit.ts'
import { RemoteBox } from './box.ts'
import type { OwnerClient, StreamWait } from './client.ts'
import { eventsOf } from './events.ts'
import { RemoteImages } from './images.ts'
import { Shared } from './shared.ts'
import { RemoteSubscriptions } from './subscriptions.ts'
import { remoteExport, remoteImport } from './transfer-client.ts'
import type { BoxRef } from './wire.ts'

interface Made {
  readonly box: BoxRef
  readonly created: boolean
  readonly differs: string[]
}

/** The boxes of a home through its owner's socket. */
export class RemoteRuntime implements BoxRuntime {
  readonly images: RemoteImages
  readonly subscriptions: RemoteSubscriptions
  readonly #client: OwnerClient
  readonly #shared: Shared
  readonly #audit: RemoteAudit
  readonly #afterClose: () => Promise<void>

  constructor(client: OwnerClient, afterClose: () => Promise<void> = async () => {}) {
    this.#client = client
    this.#afterClose = afterClose
    this.#shared = new Shared(client)
    this.#audit = new RemoteAudit((verb, args) => this.#call(verb, args))
    this.images = new RemoteImages((verb, args, signal) => this.#call(verb, args, signal))
    this.subscriptions = new RemoteSubscriptions(client, (verb, args, signal) =>
      this.#call(verb, args, signal),
    )
  }

  async create(options: BoxOptions = {}, c?: CommandOptions): Promise<Box> {
    const { given } = newBox(options)
    const { options: meta, signal } = partCommand(shapes.command, c, 'options')
    return this.#box(await this.#call<BoxRef>('create', [given, meta], signal))
  }

  async getOrCreate(options: BoxOptions & { name: string }, c?: CommandOptions) {
    const { given } = newBox(options)
    const { options: meta, signal } = partCommand(shapes.command, c, 'options')
    const { box, created, differs } = await this.#call<Made>('getOrCreate', [given, meta], signal)
    return { box: this.#box(box), created, differs }
  }

  async get(idOrName: string): Promise<Box | undefined> {
    const found = await this.#call<BoxRef | undefined>('get', [wordOf(idOrName)])
    return found === undefined ? undefined : this.#box(found)
  }

  async getInfo(idOrName: string): Promise<BoxInfo | undefined> {
    const info = await this.#call<BoxInfo | undefined>('getInfo', [wordOf(idOrName)])
    return this.#shared.names.tell(info)
  }

  async exists(idOrName: string): Promise<boolean> {
    return this.#call('exists', [wordOf(idOrName)])
  }

  async listInfo(filter: ListFilter = {}): Promise<BoxInfo[]> {
    const { options } = part(shapes.list, filter, 'filter')
    const infos = await this.#call<BoxInfo[]>('listInfo', [options])
    for (const info of infos) this.#shared.names.tell(info)
    return infos
  }

  async remove(idOrName: string, o?: RemoveOptions): Promise<void> {
    const { options, signal } = partCommand(shapes.remove, o, 'options')
    await this.#call('remove', [wordOf(idOrName), options], signal)
  }

  async rename(idOrName: string, name: string | null, c?: CommandOptions): Promise<void> {
    if (name !== null) check(shapes.name, name, 'name')
    const { options, signal } = partCommand(shapes.command, c, 'options')
    await this.#call('rename', [wordOf(idOrName), name, options], signal)
  }

  async resolve(idOrName: string, verdict: 'dead', c?: CommandOptions): Promise<void> {
    checkVerdict(verdict)
    const { options, signal } = partCommand(shapes.command, c, 'options')
    await this.#call('resolve', [wordOf(idOrName), verdict, options], signal)
  }

  async adopt(): Promise<void> {
    await this.#call('adopt', [])
  }

  events(o: EventsOptions = {}): AsyncGenerator<LedgerRecord, void, undefined> {
    return this.#events(o)
  }

  events$(o: EventsOptions = {}): Observable<LedgerRecord> {
    return observeEvents(given => this.#events(given, { holds: false }), o)
  }

  subscription(name: string, o: SubscriptionOptions = {}): DurableSubscription {
    return this.subscriptions.begin(name, o)
  }

  async *history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined> {
    const id = await this.#idOf(idOrName)
    yield* eventsOf(this.#client, `/box/${id}/stream/history`, {}, {})
  }

  get changes$(): Observable<BoxInfo> {
    return observe(signal => this.#changes(signal))
  }

  get boxes$(): Observable<readonly BoxInfo[]> {
    const wait = { holds: false, follow: true }
    return observe(signal =>
      this.#client.stream<readonly BoxInfo[]>('/stream/boxes', () => [], { ...wait, signal }),
    )
  }

  async verify(o: { readonly replay?: boolean; readonly box?: string } = {}): Promise<VerifyReport> {
    const { options } = part(shapes.verify, o, 'options')
    const { box } = options
    return this.#call('verify', [{ ...options, ...(box === undefined ? {} : { box: wordOf(box) }) }])
  }

  exportLedger(o: ExportOptions = {}): AsyncIterableIterator<string> {
    return linesOf(remoteExport(this.#client, o))
  }

  async importLedger(lines: AsyncIterable<string>): Promise<ImportReport> {
    return remoteImport(this.#client, lines)
  }

  async archive(o: { readonly before: Date }): Promise<ArchiveReport> {
    // A date has no JSON of its own.
    const { before } = check(shapes.archive, o, 'options')
    return this.#call('archive', [before.toISOString()])
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

  metrics(): Promise<RuntimeMetrics> {
    return this.#call('metrics', [])
  }

  compact(): Promise<CompactReport> {
    return this.#call('compact', [])
  }

  async shutdown(o: { readonly timeoutMs?: number } = {}): Promise<void> {
    check(shapes.shutdown, o, 'options')
    await this.close()
  }

  async close(): Promise<void> {
    await this.subscriptions.close()
    this.#client.close()
    this.#shared.actors.close()
    await this.#afterClose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#events(o: EventsOptions, wait: StreamWait = {}): AsyncGenerator<LedgerRecord, void, undefined> {
    const { options, signal } = part(shapes.events, o, 'options')
    const { box, ...rest } = options
    const path = box === undefined ? '/stream/events' : `/box/${await this.#idOf(box, signal)}/stream/events`
    yield* eventsOf(this.#client, path, rest, { ...wait, signal })
  }

  /** Looked up once: whatever becomes of the name, a stream stays with its box. */
  #idOf(idOrName: unknown, signal?: AbortSignal): Promise<string> {
    return this.#call<string>('idOf', [wordOf(idOrName)], signal)
  }

  async *#changes(signal: AbortSignal): AsyncGenerator<BoxInfo, void, undefined> {
    let from: number | undefined
    const lines = this.#client.stream<BoxInfo | { readonly position: number }>(
      '/stream/changes',
      () => [from ?? null],
      { signal, holds: false, follow: true },
    )
    for await (const line of this.#shared.progress.follow(undefined, lines)) {
      from = line.position + 1
      if ('id' in line) yield this.#shared.names.tell(line)
    }
  }

  #call<T>(verb: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    return this.#shared.call<T>(`/call/${verb}`, args, { signal })
  }

  #box(ref: BoxRef): RemoteBox {
    return new RemoteBox(this.#shared, ref)
  }
}
