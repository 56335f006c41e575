import { isDeepStrictEqual } from 'node:util'
import type { Observable } from 'rxjs'
import type * as v from 'valibot'
import { type BoxActor, type BoxInfo, type BoxMetrics, closedError, tagOf } from '../../engine/index.ts'
import { BoxError, type BoxTag, type Head, type LedgerRecord, publicStateOf } from '../../machines/index.ts'
import type {
  Box,
  BoxEventsOptions,
  CloneOptions,
  CommandOptions,
  ConsoleOptions,
  CopyOptions,
  CopyProgress,
  ExecOptions,
  RemoveOptions,
  StopOptions,
  WaitForOptions,
} from '../box.ts'
import { checkCopy } from '../embedded/copy.ts'
import { type BeginsCommands, execution, type WantedCommand } from '../embedded/exec.ts'
import type { Execution, RunningCommand } from '../execution.ts'
import { observe } from '../observe.ts'
import { check, shapes } from '../options.ts'
import { removedError, testOf } from '../waits.ts'
import { part, partCommand } from './arguments.ts'
import { eventsOf } from './events.ts'
import { beginRemoteExec } from './exec-client.ts'
import type { Shared } from './shared.ts'
import { RemoteSnapshots } from './snapshots.ts'
import { TimeLimit } from './time-limit.ts'
import type { BoxRef, ConsoleLine, ConsoleMark } from './wire.ts'

/** A box of the home's owner. */
export class RemoteBox implements Box, BeginsCommands {
  readonly id: string
  readonly snapshots: RemoteSnapshots
  readonly #shared: Shared
  /** as of the last answer to this handle */
  #head: Head | undefined

  constructor(shared: Shared, { id, head }: BoxRef) {
    this.id = id
    this.#shared = shared
    this.snapshots = new RemoteSnapshots((...call) => this.#call(...call))
    this.#head = head
    if (head !== undefined) shared.names.see(head)
  }

  get name(): string | undefined {
    return this.#shared.names.get(this.id)
  }

  async info(): Promise<BoxInfo> {
    return this.#shared.names.tell(await this.#call<BoxInfo>('info', []))
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
  }

  async wait(o: { readonly signal?: AbortSignal } = {}): Promise<BoxInfo> {
    const { signal } = part(shapes.wait, o, 'wait')
    for await (const info of this.#states({ signal })) if (['down', 'gone'].includes(tagOf(info))) return info
    throw closedError()
  }

  async waitFor(test: BoxTag | ((info: BoxInfo) => boolean), o: WaitForOptions = {}): Promise<BoxInfo> {
    const passes = testOf(test)
    using limit = new TimeLimit(check(shapes.waitFor, o, 'waitFor'))
    for await (const info of this.#states({ signal: limit.signal })) {
      if (passes(info)) return info
      if (info.state === 'removed') throw removedError(this.id)
      limit.looked()
    }
    throw closedError()
  }

  exec(command: string, args: readonly string[] = [], o: ExecOptions = {}): Execution {
    return execution({ command, args, options: o }, (id, wanted) => this.beginExec(id, wanted))
  }

  beginExec(id: string, wanted: WantedCommand): Promise<RunningCommand> {
    const { signal, input: _, ...options } = wanted.options
    const { client } = this.#shared
    return beginRemoteExec(client, this.#path('exec'), { ...wanted, id, options }, signal)
  }

  async copyIn(from: string, to: string, o?: CopyOptions): Promise<void> {
    await this.#copy('copyIn', [from, to], o)
  }

  async copyOut(from: string, to: string, o?: CopyOptions): Promise<void> {
    await this.#copy('copyOut', [from, to], o)
  }

  async clone(o?: CloneOptions): Promise<Box> {
    const { options, signal } = partCommand(shapes.clone, o, 'clone')
    return new RemoteBox(this.#shared, await this.#call<BoxRef>('clone', [options], signal))
  }

  async *console(o?: ConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const { options, signal } = part(shapes.console, o, 'console')
    let mark: ConsoleMark | undefined
    const lines = this.#shared.client.stream<ConsoleLine>(
      this.#path('stream/console'),
      () => [options, mark ?? null],
      { signal, follow: options.follow === true },
    )
    for await (const { bytes, ...at } of lines) {
      mark = at
      if (bytes !== '') yield Buffer.from(bytes, 'base64')
    }
  }

  metrics(): Promise<BoxMetrics> {
    return this.#call('metrics', [])
  }

  async *events(o?: BoxEventsOptions): AsyncGenerator<LedgerRecord, void, undefined> {
    const { options, signal } = part(shapes.events, o, 'events')
    yield* eventsOf(this.#shared.client, this.#path('stream/events'), options, { signal })
  }

  get state$(): Observable<BoxInfo> {
    const { progress } = this.#shared
    return observe(signal => progress.follow(this.id, this.#states({ signal, holds: false })))
  }

  get actor(): BoxActor {
    this.#shared.client.assertOpen()
    if (this.#head === undefined)
      throw new BoxError('LEDGER_CORRUPT', `Records of box ${this.id} are damaged`, {
        details: { box: this.id },
      })
    if (publicStateOf(this.#head.state.value) === 'removed') throw removedError(this.id)
    return this.#shared.actors.actorOf(this.#head)
  }

  /** Its states, each once, whoever tells of them. */
  async *#states(wait: {
    readonly signal?: AbortSignal | undefined
    readonly holds?: boolean
  }): AsyncGenerator<BoxInfo, void, undefined> {
    let last: BoxInfo | undefined
    const infos = this.#shared.client.stream<BoxInfo>(
      this.#path('stream/states'),
      () => [last === undefined ? null : last.position + 1],
      { ...wait, follow: true },
    )
    for await (const info of infos) {
      if (isDeepStrictEqual(info, last)) continue
      last = info
      yield this.#shared.names.tell(info)
    }
  }

  /** Cut off by the end of its owner it rejects with `NO_OWNER`: begun again, it could find what it has made itself. */
  async #copy(
    direction: 'copyIn' | 'copyOut',
    paths: readonly [string, string],
    o: CopyOptions = {},
  ): Promise<void> {
    const { from, to, given } = checkCopy(direction, paths, o)
    const { signal, onProgress } = given
    const path = this.#path(`stream/${direction}`)
    const steps = this.#shared.client.stream<CopyProgress>(path, () => [from, to], { signal, once: true })
    for await (const step of steps) onProgress?.(step)
  }

  async #command(verb: string, shape: v.GenericSchema, o: unknown): Promise<void> {
    const { options, signal } = partCommand(shape, o, verb)
    await this.#call(verb, [options], signal)
  }

  #call<T>(verb: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    const onHead = (head: Head) => {
      this.#head = head
    }
    return this.#shared.call<T>(this.#path(`call/${verb}`), args, { signal, onHead })
  }

  #path(rest: string): string {
    return `/box/${encodeURIComponent(this.id)}/${rest}`
  }
}
