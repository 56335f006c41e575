import type { Observable as RxObservable, Subscription } from 'rxjs'
import { type BoxActor, type BoxInfo, type BoxMetrics, closedError } from '../../engine/index.ts'
import { BoxError, type BoxTag, type LedgerRecord } from '../../machines/index.ts'
import type {
  Box,
  BoxEventsOptions,
  CloneOptions,
  CommandOptions,
  ConsoleOptions,
  CopyOptions,
  ExecOptions,
  RemoveOptions,
  StopOptions,
  WaitForOptions,
} from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { type BeginsCommands, execution } from '../embedded/exec.ts'
import type { Execution } from '../execution.ts'
import { newBox } from '../new-box.ts'
import { Observable } from '../observable.ts'
import type { BoxOptions } from '../options.ts'
import type { BoxSnapshots } from '../snapshots.ts'
import { join } from '../socket/join.ts'

/** A box that a wrapper made, or found by its name. */
export interface MadeBox {
  readonly box: Box
  /** false: there was one of that name */
  readonly created: boolean
  /** options that the one that was there does not match */
  readonly differs: readonly string[]
}

/**
 * A box that is made when it is first used, removes itself once it is down unless `autoRemove` says otherwise, and is
 * stopped by `await using`. Where there is a box of its `name` already, it is that one, as it is.
 *
 * Without a runtime it has one of its own, of the default home, from the first use until it is disposed of; where
 * another process owns that home, it is served by it. Every method may reject as `BoxRuntime.getOrCreate` does.
 *
 * @example
 * await using box = new SimpleBox({ memoryMib: 512 })
 * const { stdout } = await box.exec('uname', ['-r'])
 */
export class SimpleBox implements Box, AsyncDisposable {
  readonly #options: BoxOptions
  /** names of the options that were given */
  readonly #asked: ReadonlySet<string>
  readonly #runtime: BoxRuntime | undefined
  #ownRuntime: Promise<BoxRuntime> | undefined
  #making: Promise<MadeBox> | undefined
  #made: MadeBox | undefined
  #disposing: Promise<void> | undefined

  /** Throws `INVALID_ARGUMENT`. */
  constructor(options: BoxOptions = {}, runtime?: BoxRuntime) {
    const { given } = newBox(options)
    // What is always started again is never down for good.
    const { autoRemove = given.restart?.policy !== 'always' } = given
    this.#options = { ...given, autoRemove }
    this.#asked = new Set(Object.keys(given))
    this.#runtime = runtime
  }

  /** Throws `INVALID_STATE` before the first use, when there is no box. */
  get id(): string {
    return this.#now('id').id
  }

  get name(): string | undefined {
    return this.#made === undefined ? this.#options.name : this.#made.box.name
  }

  /** The box itself, made if there is none; starts nothing. */
  create(): Promise<MadeBox> {
    this.#making ??= this.#make().catch(error => {
      this.#making = undefined // for another try
      throw error
    })
    return this.#making
  }

  async info(): Promise<BoxInfo> {
    return (await this.#box()).info()
  }

  async start(c?: CommandOptions): Promise<void> {
    await (await this.#box()).start(c)
  }

  /** Before the first use it stops the box of its name, if there is one. */
  async stop(o?: StopOptions): Promise<void> {
    await (await this.#existing())?.stop(o)
  }

  async restart(c?: CommandOptions): Promise<void> {
    await (await this.#box()).restart(c)
  }

  async pause(c?: CommandOptions): Promise<void> {
    await (await this.#box()).pause(c)
  }

  async resume(c?: CommandOptions): Promise<void> {
    await (await this.#box()).resume(c)
  }

  /** Before the first use it removes the box of its name, if there is one. */
  async remove(o?: RemoveOptions): Promise<void> {
    await (await this.#existing())?.remove(o)
  }

  async wait(o?: { readonly signal?: AbortSignal }): Promise<BoxInfo> {
    return (await this.#box()).wait(o)
  }

  async waitFor(test: BoxTag | ((info: BoxInfo) => boolean), o?: WaitForOptions): Promise<BoxInfo> {
    return (await this.#box()).waitFor(test, o)
  }

  exec(command: string, args: readonly string[] = [], o: ExecOptions = {}): Execution {
    return execution({ command, args, options: o }, async (id, wanted) => {
      const box = (await this.#box()) as Box & Partial<BeginsCommands>
      if (box.beginExec === undefined)
        throw new BoxError('UNSUPPORTED', "The runtime's boxes run no commands for a wrapper")
      return box.beginExec(id, wanted)
    })
  }

  async copyIn(from: string, to: string, o?: CopyOptions): Promise<void> {
    await (await this.#box()).copyIn(from, to, o)
  }

  async copyOut(from: string, to: string, o?: CopyOptions): Promise<void> {
    await (await this.#box()).copyOut(from, to, o)
  }

  get snapshots(): BoxSnapshots {
    const snapshots = async () => (await this.#box()).snapshots
    return {
      create: async (name, c) => (await snapshots()).create(name, c),
      list: async () => (await snapshots()).list(),
      restore: async (name, c) => (await snapshots()).restore(name, c),
      remove: async (name, c) => (await snapshots()).remove(name, c),
    }
  }

  async clone(o?: CloneOptions): Promise<Box> {
    return (await this.#box()).clone(o)
  }

  async *console(o?: ConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
    yield* (await this.#box()).console(o)
  }

  async metrics(): Promise<BoxMetrics> {
    return (await this.#box()).metrics()
  }

  async *events(o?: BoxEventsOptions): AsyncGenerator<LedgerRecord, void, undefined> {
    yield* (await this.#box()).events(o)
  }

  get state$(): RxObservable<BoxInfo> {
    return new Observable<BoxInfo>(subscriber => {
      this.#box().then(
        (box): Subscription | undefined => (subscriber.closed ? undefined : box.state$.subscribe(subscriber)),
        error => subscriber.error(error),
      )
    })
  }

  /** Throws `INVALID_STATE` before the first use, when there is no box. */
  get actor(): BoxActor {
    return this.#now('actor').actor
  }

  /** Stops the box and, if it has a runtime of its own, closes that. A box that was never started leaves nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose()
    return this.#disposing
  }

  async #dispose(): Promise<void> {
    try {
      const made = await this.#making?.catch(() => undefined)
      if (made !== undefined) await this.#end(made)
    } finally {
      const own = await this.#ownRuntime?.catch(() => undefined)
      await own?.close()
    }
  }

  async #end({ box, created }: MadeBox): Promise<void> {
    try {
      await box.stop()
      const { incarnation } = await box.info()
      // It was never up, and so is never down: nothing else removes it.
      if (created && incarnation === 0 && this.#options.autoRemove) await box.remove()
    } catch (error) {
      // It has removed itself already.
      if (!BoxError.is(error, 'NOT_FOUND')) throw error
    }
  }

  async #box(): Promise<Box> {
    return (await this.create()).box
  }

  /** The box, or that of its name, if there is one: what goes down need not be made for that. */
  async #existing(): Promise<Box | undefined> {
    if (this.#making !== undefined) return this.#box()
    const { name } = this.#options
    if (name === undefined) return undefined
    const found = await (await this.#open()).get(name)
    return found?.name === name ? found : undefined
  }

  async #make(): Promise<MadeBox> {
    const runtime = await this.#open()
    const { name, ...options } = this.#options
    if (name === undefined) this.#made = { box: await runtime.create(options), created: true, differs: [] }
    else {
      const { differs, ...made } = await runtime.getOrCreate({ ...options, name })
      this.#made = { ...made, differs: differs.filter(option => this.#asked.has(option)) }
    }
    return this.#made
  }

  async #open(): Promise<BoxRuntime> {
    if (this.#disposing !== undefined) throw closedError()
    if (this.#runtime !== undefined) return this.#runtime
    this.#ownRuntime ??= join({}).then(
      ({ runtime }) => runtime,
      error => {
        this.#ownRuntime = undefined // for another try
        throw error
      },
    )
    return this.#ownRuntime
  }

  #now(what: string): Box {
    if (this.#made !== undefined) return this.#made.box
    throw new BoxError('INVALID_STATE', `There is no ${what} yet: the box is made when it is first used`, {
      details: { state: 'none' },
    })
  }
}
