import {
  type BoxCommand,
  BoxError,
  type BoxEvent,
  type BoxFact,
  type Head,
  isRefusal,
  type LedgerRecord,
  type RecordMeta,
  step,
} from '../machines/index.ts'
import { type Committed, type Ledger, openLedger, Projections } from '../store/index.ts'
import { answersLook, led } from './causes.ts'
import { Effects } from './effects.ts'
import { Followers } from './followers.ts'
import { type BoxInfo, infoOf } from './info.ts'
import { Mailbox } from './mailbox.ts'
import type { EngineOptions } from './options.ts'
import { Recovering } from './recovering.ts'
import { adoptionIsNews, isAtRest, mayHaveVmm } from './recovery.ts'
import { createRoot, type Root } from './root.ts'
import { StartQueue } from './start-queue.ts'
import { Tail } from './tail.ts'
import { Timers } from './timers.ts'
import { Waiting } from './waiting.ts'
import { type World, worldOf } from './world.ts'

export type CommandMeta = Pick<RecordMeta, 'commandId' | 'actor'> & { readonly expectedVersion?: number }

type Listener = (head: Head, record: LedgerRecord | undefined) => void

/** How long a fact waits for the ledger before it tries again, in `ms`. */
const retryAfter = 100

/**
 * The owner of a home: one mailbox per box, in which events become durable transitions; then they are published and
 * their effects begin, in this order.
 */
export class Engine {
  readonly ledger: Ledger
  readonly projections = new Projections()
  readonly waiting = new Waiting()
  readonly tail: Tail
  readonly world: World
  readonly home: string
  readonly root: Root
  readonly #followers: Followers
  readonly #effects: Effects
  readonly #timers: Timers
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #listeners = new Set<Listener>()
  readonly #closers = new Set<() => void>()
  readonly #recovering = new Recovering()
  readonly #boundary: (name: string) => void
  #closing: Promise<void> | undefined

  private constructor(options: EngineOptions, ledger: Ledger, world: World) {
    this.home = options.home
    this.ledger = ledger
    this.world = world
    this.#boundary = options.boundary ?? (() => {})
    this.projections.load(ledger.heads())
    this.tail = new Tail(ledger.tail.position)
    this.root = createRoot(options.inspect)
    this.#followers = new Followers(this.root, (box, command) => {
      this.submit(box, () => command).catch(() => {
        // A refusal shows in the actor's state, which has not moved: `send` has nobody to tell.
      })
    })
    this.#timers = new Timers(world.clock, (box, timer) => this.#expire(box, timer))
    this.#effects = new Effects({
      home: options.home,
      root: this.root,
      random: world.random,
      queue: new StartQueue(options.startConcurrency ?? world.cores),
      driver: {
        vmm: options.vmm,
        ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
        ...(options.boundary === undefined ? {} : { boundary: options.boundary }),
      },
      tell: (box, fact) => this.#record(box, fact),
    })
    ledger.onCommit(committed => this.#publish(committed))
  }

  /** Resolves when heads are loaded; boxes that may have a VMM are then being looked at. */
  static async open(options: EngineOptions): Promise<Engine> {
    const world = worldOf(options.world ?? {})
    const ledger = await openLedger({
      home: options.home,
      bootId: world.bootId,
      engine: options.engine,
      durability: options.durability ?? 'sync',
      now: () => world.clock.now(),
      ...(options.aroundFlush === undefined ? {} : { aroundFlush: options.aroundFlush }),
    })
    const engine = new Engine(options, ledger, world)
    for (const head of ledger.heads()) engine.#recover(head)
    return engine
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  info(head: Head): BoxInfo {
    const parked = this.ledger.parked.get(head.box)
    return { ...infoOf(head, this.#recovering.has(head.box)), ...(parked === undefined ? {} : { parked }) }
  }

  /** Rejects commands and reads of a box whose records are damaged. */
  assertSound(box: string): void {
    const parked = this.ledger.parked.get(box)
    if (parked !== undefined)
      throw new BoxError('LEDGER_CORRUPT', `Records of box ${box} are damaged: ${parked.reason}`, {
        details: { box, ...parked },
      })
  }

  actorOf(head: Head) {
    return this.#followers.actorOf(head)
  }

  /** After each durable record, in order; without a record when a box is no longer `recovering`. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onClose(listener: () => void): () => void {
    this.#closers.add(listener)
    return () => this.#closers.delete(listener)
  }

  /**
   * Takes one turn of the box's mailbox: `decide` looks at the head and names the command, or nothing to be done.
   * Resolves with the head after it, durable.
   */
  async submit(
    box: string,
    decide: (head: Head | undefined) => BoxCommand | undefined,
    meta: CommandMeta = {},
  ): Promise<Head | undefined> {
    await this.#recovering.answered(box)
    return this.#mailbox(box).run(async () => {
      this.#assertOpen()
      const head = this.ledger.head(box)
      this.assertSound(box)
      if (meta.commandId !== undefined && (await this.ledger.command(meta.commandId)) !== undefined)
        return head
      if (meta.expectedVersion !== undefined && (head?.version ?? 0) !== meta.expectedVersion)
        throw new BoxError('WRONG_EXPECTED_VERSION', `The box is at version ${head?.version ?? 0}`, {
          details: { expected: meta.expectedVersion, actual: head?.version ?? 0 },
        })
      const command = decide(head)
      if (command === undefined) return head
      return (await this.#commit(box, head, command, meta)).head
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#effects.close()
    this.#timers.clear()
    const error = new BoxError('ENGINE_CLOSED', 'The runtime was closed')
    this.#recovering.endAll()
    await Promise.all([...this.#mailboxes.values()].map(mailbox => mailbox.idle()))
    this.waiting.failAll(error)
    this.tail.close()
    for (const closer of [...this.#closers]) closer()
    this.#followers.stopAll()
    this.root.stop()
    await this.ledger.close()
  }

  async #commit(box: string, head: Head | undefined, event: BoxEvent, meta: CommandMeta): Promise<Committed> {
    const at = this.world.clock.now()
    const outcome = step(head?.state, event, { at, version: (head?.version ?? 0) + 1 })
    if (isRefusal(outcome))
      throw new BoxError(
        'INVALID_STATE',
        `The box is ${outcome.state} and accepts ${outcome.accepts.join(', ') || 'nothing'}, not ${event.type}`,
        { details: { state: outcome.state, accepts: outcome.accepts, command: event.type } },
      )
    this.#boundary(`before append ${event.type}`)
    return this.ledger.append({
      box,
      expectedVersion: head?.version ?? 0,
      transition: outcome,
      at,
      meta: {
        ...(meta.commandId === undefined ? {} : { commandId: meta.commandId }),
        ...(meta.actor === undefined ? {} : { actor: meta.actor }),
        ...(led(head, event) ? { cause: head.position } : {}),
      },
    })
  }

  /** A fact is recorded whatever it takes: while the ledger mends itself, it waits. */
  #record(box: string, fact: BoxFact): Promise<void> {
    return this.#mailbox(box).run(async () => {
      for (;;) {
        this.#assertOpen()
        const head = this.ledger.head(box)
        if (head === undefined) return
        if (fact.type === 'timer.fired' && head.state.timers[fact.timer] === undefined) return
        try {
          const known = fact.type === 'vmm.adopted' && !adoptionIsNews(head, fact, this.ledger.previous)
          if (!known) await this.#commit(box, head, fact, {})
          if (answersLook(fact)) this.#recovered(box)
          return
        } catch (error) {
          if (!BoxError.is(error) || !(error.retryable || error.code === 'ENGINE_FAILED')) throw error
          await this.#pause()
          const now = this.ledger.head(box)
          if (now !== undefined && now.version > head.version && now.lastEvent === fact.type) return
        }
      }
    })
  }

  #publish(committed: readonly Committed[]): void {
    this.projections.apply(committed.map(({ head }) => head))
    for (const { head, record } of committed) {
      this.#boundary(`after append ${record.event.type}`)
      this.#followers.tell(head, record)
      this.tail.advance(record)
      for (const listener of this.#listeners) listener(head, record)
      this.waiting.tell(head, record)
      if (this.isClosed || this.#recovering.has(head.box)) continue
      this.#timers.follow(head.box, head.state)
      this.#effects.follow(head)
      if (record.to === 'removed') this.#mailboxes.delete(head.box)
    }
  }

  #recover(head: Head): void {
    const { box, state } = head
    if (isAtRest(state) || this.ledger.parked.has(box)) return
    if (!mayHaveVmm(state)) {
      this.#timers.follow(box, state)
      this.#effects.follow(head, true)
      return
    }
    this.#recovering.begin(box)
    this.#effects.look(head)
  }

  /** The host has answered: what was under way goes on, and commands may come. */
  #recovered(box: string): void {
    if (!this.#recovering.end(box)) return
    const head = this.ledger.head(box)
    if (head === undefined || this.isClosed) return
    for (const listener of this.#listeners) listener(head, undefined)
    this.waiting.tell(head)
    this.#timers.follow(box, head.state, 'later')
    this.#effects.follow(head, true)
  }

  #expire(box: string, timer: string): void {
    const head = this.ledger.head(box)
    if (head === undefined || this.isClosed) return
    const { incarnation } = head.state.context
    this.#record(box, { type: 'timer.fired', timer, incarnation }).catch(error => {
      if (!BoxError.is(error, 'ENGINE_CLOSED')) throw error
    })
  }

  #mailbox(box: string): Mailbox {
    const known = this.#mailboxes.get(box)
    if (known !== undefined) return known
    const made = new Mailbox()
    this.#mailboxes.set(box, made)
    return made
  }

  #assertOpen(): void {
    if (this.isClosed) throw new BoxError('ENGINE_CLOSED', 'The runtime was closed')
  }

  #pause(): Promise<void> {
    return new Promise(resolve => {
      this.world.clock.setTimeout(resolve, retryAfter)
    })
  }
}
