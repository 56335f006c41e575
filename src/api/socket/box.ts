import type { Observable } from 'rxjs'
import type * as v from 'valibot'
import type { BoxActor, BoxInfo } from '../../engine/index.ts'
import { BoxError, type BoxTag, type Head, type LedgerRecord } from '../../machines/index.ts'
import type {
  Box,
  BoxEventsOptions,
  CommandOptions,
  ConsoleOptions,
  RemoveOptions,
  StopOptions,
  WaitForOptions,
} from '../box.ts'
import { observe } from '../observe.ts'
import { check, shapes } from '../options.ts'
import { limitOf, removedError, testOf } from '../waits.ts'
import type { RemoteActors } from './actors.ts'
import { part, partCommand } from './arguments.ts'
import { aborted, type OwnerClient } from './client.ts'
import type { KnownNames } from './known.ts'
import type { BoxRef } from './wire.ts'

/** What the boxes of one connection share. */
export interface Shared {
  readonly client: OwnerClient
  readonly names: KnownNames
  readonly actors: RemoteActors
}

/** A box of the home's owner. */
export class RemoteBox implements Box {
  readonly id: string
  readonly #shared: Shared
  readonly #head: Head | undefined

  constructor(shared: Shared, { id, head }: BoxRef) {
    this.id = id
    this.#shared = shared
    this.#head = head
    if (head !== undefined) shared.names.set(id, head.state.context.name ?? undefined)
  }

  get name(): string | undefined {
    return this.#shared.names.get(this.id)
  }

  async info(): Promise<BoxInfo> {
    return this.#shared.names.tell(await this.#call<BoxInfo>('info'))
  }

  async start(c?: CommandOptions): Promise<void> {
    await this.#command('start', shapes.command, c)
  }

  async stop(o?: StopOptions): Promise<void> {
    await this.#command('stop', shapes.stop, o)
  }

  async restart(c?: CommandOptions): Promise<void> {
    await this.#command('restart', shapes.command, c)
  }

  async pause(c?: CommandOptions): Promise<void> {
    await this.#command('pause', shapes.command, c)
  }

  async resume(c?: CommandOptions): Promise<void> {
    await this.#command('resume', shapes.command, c)
  }

  async remove(o?: RemoveOptions): Promise<void> {
    await this.#command('remove', shapes.remove, o)
    this.#shared.names.set(this.id, undefined)
  }

  async wait(o: { readonly signal?: AbortSignal } = {}): Promise<BoxInfo> {
    const { signal } = part(shapes.wait, o, 'wait')
    return this.#shared.names.tell(await this.#call<BoxInfo>('wait', signal))
  }

  async waitFor(test: BoxTag | ((info: BoxInfo) => boolean), o: WaitForOptions = {}): Promise<BoxInfo> {
    const passes = testOf(test)
    const limit = limitOf(check(shapes.waitFor, o, 'waitFor')) ?? new AbortController().signal
    for await (const info of this.#states(limit, true)) if (passes(info)) return info
    if (limit.aborted) throw aborted(limit)
    throw this.#shared.client.isClosed
      ? new BoxError('ENGINE_CLOSED', 'The runtime was closed')
      : removedError(this.id)
  }

  async *console(o?: ConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const { options, signal } = part(shapes.console, o, 'console')
    let seen = 0
    const chunks = this.#shared.client.stream<string>(this.#path('stream/console'), () => [options, seen], {
      signal,
    })
    for await (const chunk of chunks) {
      const bytes = Buffer.from(chunk, 'base64')
      seen += bytes.length
      yield bytes
    }
  }

  async *events(o?: BoxEventsOptions): AsyncGenerator<LedgerRecord, void, undefined> {
    const { options, signal } = part(shapes.events, o, 'events')
    let seen: { from?: number } = {}
    const records = this.#shared.client.stream<LedgerRecord>(
      this.#path('stream/events'),
      () => [seen.from === undefined ? options : { ...options, ...seen }],
      { signal },
    )
    for await (const record of records) {
      seen = { from: record.position + 1 }
      yield record
    }
  }

  get state$(): Observable<BoxInfo> {
    return observe(signal => this.#states(signal, false))
  }

  get actor(): BoxActor {
    if (this.#head === undefined) throw new BoxError('NOT_FOUND', `Box ${this.id} cannot be read`)
    return this.#shared.actors.actorOf(this.#head)
  }

  async *#states(signal: AbortSignal, holds: boolean): AsyncGenerator<BoxInfo, void, undefined> {
    let from: number | undefined
    const infos = this.#shared.client.stream<BoxInfo>(this.#path('stream/states'), () => [from ?? null], {
      signal,
      holds,
    })
    for await (const info of infos) {
      from = info.position + 1
      yield this.#shared.names.tell(info)
    }
  }

  async #command(verb: string, shape: v.GenericSchema, o: unknown): Promise<void> {
    const { options, signal } = partCommand(shape, o, verb)
    await this.#shared.client.call(this.#path(`call/${verb}`), [options], signal)
  }

  #call<T>(verb: string, signal?: AbortSignal): Promise<T> {
    return this.#shared.client.call<T>(this.#path(`call/${verb}`), [{}], signal)
  }

  #path(rest: string): string {
    return `/box/${encodeURIComponent(this.id)}/${rest}`
  }
}
