import { type Boundary, type BoxCommand, type Head, noBoundary } from '../machines/index.ts'
import { type ImportReport, type Ledger, Projections } from '../store/index.ts'
import { type Hands, type VmmChoice, vmmHands } from '../vmm/index.ts'
import { attachedOf, endAttached } from './attached.ts'
import { Audience, type Listener } from './audience.ts'
import { BoxMetricsReader } from './box-metrics.ts'
import { Channels } from './channels.ts'
import { CloneSnapshots } from './clone-snapshots.ts'
import { Effects } from './effects.ts'
import { Executions } from './executions.ts'
import { Followers } from './followers.ts'
import { HealthChecks } from './health-checks.ts'
import { importInto } from './importing.ts'
import { type BoxInfo, infoOf } from './info.ts'
import { answersLook } from './look-rules.ts'
import { Metrics } from './metrics.ts'
import { openLedgerOf } from './open-ledger.ts'
import type { EngineOptions } from './options.ts'
import { Publication } from './publication.ts'
import { Recorder } from './recorder.ts'
import { Recovery } from './recovery.ts'
import { createRoot, type Root } from './root.ts'
import { Silence } from './silence.ts'
import { withDisks } from './snapshot-size.ts'
import { StartQueue } from './start-queue.ts'
import { Subscriptions } from './subscriptions.ts'
import { closedError, damaged, inertError, type Tail } from './tail.ts'
import { dropLeftMakers } from './templates.ts'
import { Timers } from './timers.ts'
import { assertVersion, type CommandMeta, Turns } from './turns.ts'
import { unlessAborted, type Waiting } from './waiting.ts'
import { type World, worldOf } from './world.ts'

/**
 * The owner of a home: one mailbox per box, in which events become durable transitions; then they are published and
 * their effects begin, in this order.
 */
export class Engine {
  readonly ledger: Ledger
  readonly projections = new Projections()
  readonly audience: Audience
  readonly world: World
  readonly home: string
  readonly hands: Hands
  readonly vmm: VmmChoice
  readonly onProgress: ((message: string) => void) | undefined
  readonly root: Root
  readonly boundary: Boundary
  readonly channels: Channels
  readonly executions: Executions
  readonly cloneSnapshots: CloneSnapshots
  readonly metrics = new Metrics(this)
  readonly subscriptions = new Subscriptions(this)
  readonly boxMetrics: BoxMetricsReader
  readonly #followers: Followers
  readonly #effects: Effects
  readonly #timers: Timers
  readonly #health: HealthChecks
  readonly #turns: Turns
  readonly #recorder: Recorder
  readonly #recovery: Recovery
  readonly #silence: Silence
  #closing: Promise<void> | undefined
  /** closed so far that nothing is recorded any more */
  #over = false

  private constructor(options: EngineOptions, ledger: Ledger, world: World) {
    this.home = options.home
    this.ledger = ledger
    this.world = world
    this.hands = options.hands ?? vmmHands
    this.vmm = options.vmm
    this.onProgress = options.onProgress
    this.boundary = options.boundary ?? noBoundary
    this.channels = new Channels(options.home, this.hands.reach)
    this.#turns = new Turns(ledger, world, this.boundary, options.step)
    this.#recorder = new Recorder({
      ledger,
      turns: this.#turns,
      clock: world.clock,
      onRecorded: (box, fact) => {
        if (answersLook(fact)) this.#recovery.answer(box)
      },
    })
    this.projections.load(ledger.heads())
    const ground = { home: options.home, ledger, clock: world.clock, boundary: this.boundary }
    this.boxMetrics = new BoxMetricsReader({ ...ground, looks: this.hands.looks })
    this.root = createRoot(options.inspect)
    this.executions = new Executions({
      ...ground,
      turns: this.#turns,
      channels: this.channels,
      root: this.root,
      record: (stream, fact) => this.#recorder.recordExecution(stream, fact),
    })
    this.#followers = new Followers(this.root, (box, command) => {
      this.submit(box, () => command).catch(() => {
        // A refusal shows in the actor's state, which has not moved: `send` has nobody to tell.
      })
    })
    this.cloneSnapshots = new CloneSnapshots(ledger, (box, decide) => this.submit(box, decide))
    this.audience = new Audience(ledger.tail.position, this.#followers)
    this.#timers = new Timers({ ...ground, tell: (box, fact) => this.#recorder.tell(box, fact) })
    this.#silence = new Silence(box => {
      const head = ledger.head(box)
      if (head !== undefined) this.audience.tell(head)
    })
    this.#health = new HealthChecks({
      ...ground,
      channels: this.channels,
      looks: this.hands.looks,
      tell: (box, fact) => this.#recorder.tell(box, fact),
    })
    this.#effects = new Effects({
      home: options.home,
      root: this.root,
      random: world.random,
      hands: this.hands,
      queue: new StartQueue(options.startConcurrency ?? world.cores),
      driver: {
        vmm: options.vmm,
        boundary: this.boundary,
        ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      },
      tell: (box, fact) => this.#recorder.record(box, fact),
      onResponding: (box, responding) => this.#silence.heard(box, responding),
    })
    this.#recovery = new Recovery({
      ...ground,
      runs: this.hands.runs,
      look: head => this.#effects.look(head),
      goOn: (head, overdue) => {
        if (this.#over) return
        this.#timers.follow(head.box, head.state, overdue)
        this.#effects.follow(head, true)
        this.#health.follow(head)
      },
      tell: (box, fact) => this.#recorder.tell(box, fact),
      stop: (box, reason) => this.#recorder.stopForOwner(box, 'kill', reason),
      onRecovered: head => this.audience.tell(head),
    })
    const publication = new Publication({
      ledger,
      projections: this.projections,
      audience: this.audience,
      executions: this.executions,
      silence: this.#silence,
      timers: this.#timers,
      always: [this.channels, this.boxMetrics],
      whileOpen: [this.cloneSnapshots],
      acting: [this.#effects, this.#health],
      boundary: this.boundary,
      isOver: () => this.#over,
      isRecovering: box => this.#recovery.has(box),
    })
    ledger.onCommit(committed => publication.publish(committed))
  }

  /** Resolves when heads are loaded; boxes that may have a VMM are then being looked at. */
  static async open(options: EngineOptions): Promise<Engine> {
    const world = worldOf(options.world ?? {})
    const ledger = await openLedgerOf(options, world)
    const engine = new Engine(options, ledger, world)
    if (!ledger.isInert) engine.#recover()
    return engine
  }

  /** Boxes of a home that was copied or imported, and not adopted, are history: nothing happens to them. */
  get isInert(): boolean {
    return this.ledger.isInert
  }

  /** Makes this the home of its boxes; what became of those that were up is then looked at, as after a crash. */
  async adopt(): Promise<void> {
    if (!this.isInert) return
    await this.ledger.adopt()
    for (const head of this.ledger.heads()) this.audience.tell(head)
    this.#recover()
  }

  /** Fills an empty home with the lines of an export. */
  async import(lines: AsyncIterable<string>): Promise<ImportReport> {
    if (this.isClosed) throw closedError()
    return importInto(this, lines)
  }

  #recover(): void {
    this.#recovery.begin()
    this.executions.recover()
    this.cloneSnapshots.begin()
    dropLeftMakers(this)
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  info(head: Head): BoxInfo {
    const parked = this.ledger.parked.get(head.box)
    return {
      ...infoOf(head, {
        recovering: this.#recovery.has(head.box),
        responding: !this.#silence.has(head.box),
        executions: this.ledger.executionsOf(head.box),
      }),
      ...(this.isInert ? { inert: true } : {}),
      ...(parked === undefined ? {} : { parked }),
    }
  }

  /** Rejects commands and reads of a box whose records are damaged. */
  assertSound(box: string): void {
    const parked = this.ledger.parked.get(box)
    if (parked !== undefined) throw damaged(box, parked)
  }

  actorOf(head: Head) {
    return this.#followers.actorOf(head)
  }

  onChange(listener: Listener): () => void {
    return this.audience.onChange(listener)
  }

  onClose(listener: () => void): () => void {
    return this.audience.onClose(listener)
  }

  get waiting(): Waiting {
    return this.audience.waiting
  }

  get tail(): Tail {
    return this.audience.tail
  }

  /**
   * Takes one turn of the box's mailbox: `decide` looks at the head and names the command, or nothing to be done.
   * Resolves with the head after it, durable.
   */
  async submit(
    box: string,
    decide: (head: Head | undefined) => BoxCommand | undefined,
    meta: CommandMeta & { readonly signal?: AbortSignal } = {},
  ): Promise<Head | undefined> {
    const answered = this.#recovery.answered(box)
    if (answered !== undefined) await unlessAborted(answered, meta.signal)
    return this.#turns.take(box, async () => {
      if (this.isClosed) throw closedError()
      if (this.isInert) throw inertError(this.home)
      this.assertSound(box)
      const head = await this.#seeLostRuns(box)
      if (meta.commandId !== undefined && (await this.ledger.command(meta.commandId)) !== undefined)
        return head
      assertVersion(head, meta)
      const command = withDisks(this.home, box, decide(head))
      if (command === undefined) return head
      return (await this.#turns.commit(box, head, command, meta)).head as Head
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await endAttached(
      this.isInert ? [] : attachedOf(this.ledger.heads()),
      this.waiting,
      (...stop) => this.#recorder.stopForOwner(...stop),
      box => this.ledger.head(box),
      this.world.clock,
    )
    await this.executions.close()
    this.#over = true
    this.#recorder.close()
    this.#health.close()
    this.#effects.close()
    this.channels.close()
    this.#timers.clear()
    this.#recovery.end()
    await this.#turns.idle()
    this.audience.close()
    this.root.stop()
    await this.ledger.close()
  }

  /** Within a turn: before anything is asked of a box, its run directories are held against the ledger. */
  async #seeLostRuns(box: string): Promise<Head | undefined> {
    const head = this.ledger.head(box)
    const found = head && this.#recovery.lostRunsOf(head)
    return found === undefined ? head : ((await this.#turns.commit(box, head, found)).head as Head)
  }
}
