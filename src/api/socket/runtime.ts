import type { Observable } from 'rxjs'
import type { BoxInfo } from '../../engine/index.ts'
import type { LedgerRecord } from '../../machines/index.ts'
import type { ArchiveReport, CompactReport, VerifyReport } from '../../store/index.ts'
import type { Box, CommandOptions, EventsOptions, RemoveOptions } from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { checkIdOrName, checkVerdict } from '../id-or-name.ts'
import { observe, observeEvents } from '../observe.ts'
import { type BoxOptions, check, shapes } from '../options.ts'
import type { ListFilter } from '../runtime-options.ts'
import { RemoteActors } from './actors.ts'
import { part, partCommand } from './arguments.ts'
import { RemoteBox, type Shared } from './box.ts'
import type { OwnerClient } from './client.ts'
import { KnownNames } from './known.ts'
import type { BoxRef } from './wire.ts'

interface Made {
  readonly box: BoxRef
  readonly created: boolean
  readonly differs: string[]
}

/** The boxes of a home through its owner's socket. */
export class RemoteRuntime implements BoxRuntime {
  readonly #client: OwnerClient
  readonly #shared: Shared
  readonly #afterClose: () => Promise<void>

  constructor(client: OwnerClient, afterClose: () => Promise<void> = async () => {}) {
    this.#client = client
    this.#afterClose = afterClose
    this.#shared = { client, names: new KnownNames(), actors: new RemoteActors(client) }
  }

  async create(given: BoxOptions = {}, c?: CommandOptions): Promise<Box> {
    const box = check(shapes.box, given, 'options')
    const { options, signal } = partCommand(shapes.command, c, 'options')
    return this.#box(await this.#client.call<BoxRef>('/call/create', [box, options], signal))
  }

  async getOrCreate(given: BoxOptions & { name: string }, c?: CommandOptions) {
    const wanted = check(shapes.box, given, 'options')
    const { options, signal } = partCommand(shapes.command, c, 'options')
    const { box, created, differs } = await this.#client.call<Made>(
      '/call/getOrCreate',
      [wanted, options],
      signal,
    )
    return { box: this.#box(box), created, differs }
  }

  async get(idOrName: string): Promise<Box | undefined> {
    checkIdOrName(idOrName)
    const found = await this.#client.call<BoxRef | undefined>('/call/get', [idOrName])
    return found === undefined ? undefined : this.#box(found)
  }

  async getInfo(idOrName: string): Promise<BoxInfo | undefined> {
    checkIdOrName(idOrName)
    const info = await this.#client.call<BoxInfo | undefined>('/call/getInfo', [idOrName])
    return this.#shared.names.tell(info)
  }

  async exists(idOrName: string): Promise<boolean> {
    checkIdOrName(idOrName)
    return this.#client.call('/call/exists', [idOrName])
  }

  async listInfo(filter: ListFilter = {}): Promise<BoxInfo[]> {
    const { options } = part(shapes.list, filter, 'filter')
    const infos = await this.#client.call<BoxInfo[]>('/call/listInfo', [options])
    for (const info of infos) this.#shared.names.tell(info)
    return infos
  }

  async remove(idOrName: string, o?: RemoveOptions): Promise<void> {
    checkIdOrName(idOrName)
    const { options, signal } = partCommand(shapes.remove, o, 'options')
    await this.#client.call('/call/remove', [idOrName, options], signal)
  }

  async rename(idOrName: string, name: string | null, c?: CommandOptions): Promise<void> {
    checkIdOrName(idOrName)
    if (name !== null) check(shapes.name, name, 'name')
    const { options, signal } = partCommand(shapes.command, c, 'options')
    const box = await this.#client.call<BoxRef | undefined>('/call/rename', [idOrName, name, options], signal)
    if (box !== undefined) this.#box(box)
  }

  async resolve(idOrName: string, verdict: 'dead', c?: CommandOptions): Promise<void> {
    checkIdOrName(idOrName)
    checkVerdict(verdict)
    const { options, signal } = partCommand(shapes.command, c, 'options')
    await this.#client.call('/call/resolve', [idOrName, verdict, options], signal)
  }

  async adopt(): Promise<void> {
    await this.#client.call('/call/adopt', [])
  }

  async *events(o?: EventsOptions): AsyncGenerator<LedgerRecord, void, undefined> {
    const { options, signal } = part(shapes.events, o, 'options')
    let from: number | undefined
    const argsOf = () => [from === undefined ? options : { ...options, from }]
    for await (const record of this.#client.stream<LedgerRecord>('/stream/events', argsOf, { signal })) {
      from = record.position + 1
      yield record
    }
  }

  events$(o: EventsOptions = {}): Observable<LedgerRecord> {
    return observeEvents(this, o)
  }

  async *history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined> {
    checkIdOrName(idOrName)
    let after: number | undefined
    const argsOf = () => [idOrName, after ?? null]
    for await (const record of this.#client.stream<LedgerRecord>('/stream/history', argsOf)) {
      after = record.position
      yield record
    }
  }

  get changes$(): Observable<BoxInfo> {
    return observe(signal => this.#changes(signal))
  }

  get boxes$(): Observable<readonly BoxInfo[]> {
    return observe(signal =>
      this.#client.stream<readonly BoxInfo[]>('/stream/boxes', () => [], { signal, holds: false }),
    )
  }

  async verify(o: { readonly replay?: boolean; readonly box?: string } = {}): Promise<VerifyReport> {
    const { options } = part(shapes.verify, o, 'options')
    return this.#client.call('/call/verify', [options])
  }

  async archive(o: { readonly before: Date }): Promise<ArchiveReport> {
    // A date has no JSON of its own.
    const { before } = check(shapes.archive, o, 'options')
    return this.#client.call('/call/archive', [before.toISOString()])
  }

  compact(): Promise<CompactReport> {
    return this.#client.call('/call/compact', [])
  }

  async shutdown(o: { readonly timeoutMs?: number } = {}): Promise<void> {
    check(shapes.shutdown, o, 'options')
    await this.close()
  }

  async close(): Promise<void> {
    this.#client.close()
    this.#shared.actors.close()
    await this.#afterClose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#changes(signal: AbortSignal): AsyncGenerator<BoxInfo, void, undefined> {
    let from: number | undefined
    const lines = this.#client.stream<BoxInfo | { readonly position: number }>(
      '/stream/changes',
      () => [from ?? null],
      { signal, holds: false },
    )
    for await (const line of lines) {
      from = line.position + 1
      if ('id' in line) yield this.#shared.names.tell(line)
    }
  }

  #box(ref: BoxRef): RemoteBox {
    return new RemoteBox(this.#shared, ref)
  }
}
