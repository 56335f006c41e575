import type { Observable } from 'rxjs'
import type { BoxInfo } from '../../engine/index.ts'
import type { LedgerRecord } from '../../machines/index.ts'
import type { ArchiveReport, CompactReport, VerifyReport } from '../../store/index.ts'
import type { Box, CommandOptions, EventsOptions, RemoveOptions } from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { observe } from '../observe.ts'
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
    const { options, signal } = partCommand(c)
    return this.#box(await this.#client.call<BoxRef>('/call/create', [given, options], signal))
  }

  async getOrCreate(given: BoxOptions & { name: string }, c?: CommandOptions) {
    const { options, signal } = partCommand(c)
    const { box, created, differs } = await this.#client.call<Made>(
      '/call/getOrCreate',
      [given, options],
      signal,
    )
    return { box: this.#box(box), created, differs }
  }

  async get(idOrName: string): Promise<Box | undefined> {
    const found = await this.#client.call<BoxRef | undefined>('/call/get', [idOrName])
    return found === undefined ? undefined : this.#box(found)
  }

  async getInfo(idOrName: string): Promise<BoxInfo | undefined> {
    const info = await this.#client.call<BoxInfo | undefined>('/call/getInfo', [idOrName])
    return this.#shared.names.tell(info)
  }

  exists(idOrName: string): Promise<boolean> {
    return this.#client.call('/call/exists', [idOrName])
  }

  async listInfo(filter: ListFilter = {}): Promise<BoxInfo[]> {
    const infos = await this.#client.call<BoxInfo[]>('/call/listInfo', [filter])
    for (const info of infos) this.#shared.names.tell(info)
    return infos
  }

  async remove(idOrName: string, o?: RemoveOptions): Promise<void> {
    const { options, signal } = partCommand(o)
    await this.#client.call('/call/remove', [idOrName, options], signal)
  }

  async rename(idOrName: string, name: string | null, c?: CommandOptions): Promise<void> {
    const { options, signal } = partCommand(c)
    const box = await this.#client.call<BoxRef | undefined>('/call/rename', [idOrName, name, options], signal)
    if (box !== undefined) this.#box(box)
  }

  async resolve(idOrName: string, verdict: 'dead', c?: CommandOptions): Promise<void> {
    const { options, signal } = partCommand(c)
    await this.#client.call('/call/resolve', [idOrName, verdict, options], signal)
  }

  async *events(o?: EventsOptions): AsyncGenerator<LedgerRecord, void, undefined> {
    const { options, signal } = part(o)
    let from: number | undefined
    const argsOf = () => [from === undefined ? options : { ...(options as object), from }]
    for await (const record of this.#client.stream<LedgerRecord>('/stream/events', argsOf, { signal })) {
      from = record.position + 1
      yield record
    }
  }

  events$(o: EventsOptions = {}): Observable<LedgerRecord> {
    return observe(signal => this.events({ ...o, signal }), o.signal)
  }

  async *history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined> {
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

  verify(o: { readonly replay?: boolean; readonly box?: string } = {}): Promise<VerifyReport> {
    return this.#client.call('/call/verify', [o])
  }

  async archive(o: { readonly before: Date }): Promise<ArchiveReport> {
    // A date has no JSON of its own.
    const { before } = check(shapes.archive, o, 'options')
    return this.#client.call('/call/archive', [before.toISOString()])
  }

  compact(): Promise<CompactReport> {
    return this.#client.call('/call/compact', [])
  }

  shutdown(_o: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.close()
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
