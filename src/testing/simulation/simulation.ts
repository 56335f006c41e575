import type { BoxRuntime } from '../../api/box-runtime.ts'
import { Engine } from '../../engine/index.ts'
import { BoxError, type LedgerRecord } from '../../machines/index.ts'
import { atRest, VirtualClock } from '../clock/virtual-clock.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { SimulatedHost } from '../host/simulated-host.ts'
import type { Violation } from '../invariants/violation.ts'
import { type Random, seeded } from '../random.ts'
import { engineOptionsOf, type Surroundings } from './assembly.ts'
import { Behaviours } from './behaviours.ts'
import { Life, LifeOver } from './life.ts'
import { listen } from './listening.ts'
import { Monitor } from './monitor.ts'
import type { SimulationOptions } from './options.ts'
import { disagreements, isSomethingDue } from './settling.ts'
import { SimulatedRuntime } from './simulated-runtime.ts'
import { lineOf, type TimelineEntry } from './timeline.ts'
import { unsoundIn } from './verifying.ts'

/** How long `until` runs the clock for one answer, in `ms`. */
const defaultLimitMs = 3_600_000

/** How long a recovery may take, in `ms`. */
const recoverMs = 120_000

/**
 * A world in which the real engine runs and nothing else is real: disk, host, VMMs, guests and time are simulated, and
 * time passes only when told. Whatever happens in it is held against the invariants.
 *
 * @example
 * await using world = await Simulation.open({ seed: 1, script: () => ({ fates: [{ afterMs: 60_000, does: 'crash' }] }) })
 * const box = await world.runtime.create({ restart: { policy: 'on-failure', maxRetries: 3 } })
 * await world.until(box.start())
 * await world.advance(3_600_000)
 * console.log((await box.info()).restarts, world.lines().join('\n'))
 */
export class Simulation {
  readonly clock = new VirtualClock()
  readonly host: SimulatedHost
  readonly disk: SimulatedDisk
  readonly random: Random
  readonly #monitor: Monitor
  readonly #surroundings: Surroundings
  #life: Life
  #engine: Engine | undefined
  #runtime: SimulatedRuntime | undefined

  private constructor(options: SimulationOptions) {
    const { seed, flush, script, rule, timeline = true } = options
    this.random = seeded(seed)
    this.disk = new SimulatedDisk(flush)
    this.#monitor = new Monitor({ clock: this.clock, disk: this.disk, rule, timeline })
    this.host = new SimulatedHost({
      clock: this.clock,
      onWrong: (box, message) => this.#monitor.note('one-vmm', box, message),
    })
    this.#surroundings = {
      options,
      host: this.host,
      disk: this.disk,
      random: this.random.fork('engine'),
      monitor: this.#monitor,
      behaviours: new Behaviours(script),
    }
    this.#life = new Life(0, this.clock)
  }

  /** A new world, and an engine that has an empty home open in it. */
  static async open(options: SimulationOptions): Promise<Simulation> {
    const simulation = new Simulation(options)
    await simulation.reopen()
    return simulation
  }

  /** The boxes, through the real engine; secrets, `archive` and `compact` are `UNSUPPORTED`. Throws `ENGINE_CLOSED` while there is none; another one after each `reopen`. */
  get runtime(): BoxRuntime {
    if (this.#runtime === undefined) throw closed()
    return this.#runtime
  }

  get isUp(): boolean {
    return this.#runtime !== undefined
  }

  /** The present engine's life: `ended` rejects when it dies. */
  get life(): Life {
    return this.#life
  }

  get violations(): readonly Violation[] {
    return this.#monitor.violations
  }

  /** Endings of incarnations so far, by cause. */
  get endings(): Monitor['endings'] {
    return this.#monitor.endings
  }

  /** What has happened so far, to one box (by ID) or to all. */
  timeline(box?: string): readonly TimelineEntry[] {
    const { timeline } = this.#monitor
    return box === undefined
      ? timeline
      : timeline.filter(entry => entry.box === undefined || entry.box === box)
  }

  /** The timeline as lines of text. */
  lines(box?: string): string[] {
    return this.timeline(box).map(lineOf)
  }

  /** A caller was answered: what the answer rests on has to be on the disk. */
  answered(box: string, what: string): void {
    const head = this.#engine?.ledger.head(box)
    const stored = this.disk.head(box)
    if (head !== undefined && (stored === undefined || stored.version < head.version))
      this.#monitor.note(
        'durable',
        box,
        `${what} is answered at version ${head.version}, the disk has ${stored?.version}`,
      )
  }

  /** A caller was told that a box is stopped, and had asked for it after version `since`. */
  stopped(box: string, since: number): void {
    const context = this.#engine?.ledger.head(box)?.state.context
    if (context === undefined || this.#monitor.startAskedFor(box) > since) return
    if (context.open || context.restart.due)
      this.#monitor.note('stop-wins', box, 'a stop is answered, and it is up or to be started again')
  }

  /** Notes that a caller did not get what every caller gets. */
  note: Monitor['note'] = (...broken) => this.#monitor.note(...broken)

  /** Adds a line of your own to the timeline. */
  say(what: string, box?: string): void {
    this.#monitor.say(what, box)
  }

  /** Lets so many `ms` pass. */
  advance(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  /** Lets time pass until something settles, and gives that. Rejects with a RangeError if it takes longer than `limitMs`. */
  async until<T>(promise: Promise<T>, limitMs = defaultLimitMs): Promise<T> {
    let settled = false
    const note = () => {
      settled = true
    }
    promise.then(note, note)
    await atRest()
    const end = this.clock.monotonic() + limitMs
    while (!settled) {
      if ((this.clock.next ?? Number.POSITIVE_INFINITY) > end - this.clock.monotonic())
        throw new RangeError(`It did not settle within ${limitMs} ms of simulated time`)
      await this.clock.step()
    }
    return promise
  }

  /** The engine is killed: what it had under way is as if it had never gone on. */
  crash(): void {
    if (this.#life.isOver) return
    this.#monitor.say('the engine is killed')
    this.#endLife()
  }

  /** The engine closes in good order. */
  async close(): Promise<void> {
    const runtime = this.#runtime
    const life = this.#life
    if (runtime === undefined) return
    this.#runtime = undefined
    await Promise.race([runtime.close(), life.ended.catch(() => {})])
    if (life.isOver) return
    this.#monitor.say('the engine is closed')
    this.#endLife()
  }

  /** Everything that runs on the host is gone at once, the engine too. */
  rebootHost(): void {
    this.#monitor.say('the host reboots')
    if (!this.#life.isOver) this.#endLife()
    this.host.reboot()
  }

  /**
   * Another engine opens the home. Rejects with what opening rejects with. One that is killed while it opens the home
   * leaves none: `isUp` tells.
   */
  async reopen(): Promise<void> {
    if (!this.#life.isOver && this.#life.number > 0)
      throw new BoxError('ENGINE_LOCKED', 'An engine runs in the simulation already')
    const life = new Life(this.#life.number + 1, this.clock)
    this.#life = life
    try {
      const options = engineOptionsOf(life, this.#surroundings)
      const engine = await Promise.race([Engine.open(options), life.ended])
      this.#engine = engine
      await Promise.race([listen(engine, life, this.#monitor), life.ended])
      this.#runtime = new SimulatedRuntime(engine)
      this.#monitor.say(`engine ${life.number} has the home open`)
    } catch (error) {
      if (error instanceof LifeOver) return
      this.#endLife()
      if (BoxError.is(error, 'LEDGER_CORRUPT')) this.#monitor.note('durable', undefined, error.message)
      throw error
    }
  }

  /** Looks until the engine and the host agree on every box, and notes where they do not come to agree. */
  async settle(): Promise<void> {
    if (this.#engine === undefined) throw closed()
    const engine = this.#engine
    const open = await this.#calmly(() => disagreements(engine, this.host, ms => this.advance(ms)))
    for (const [box, { invariant, message }] of open) this.#monitor.note(invariant, box, message)
  }

  /** Two engines after one another find a quiet world as it is: the second records nothing. */
  async recoverTwice(): Promise<void> {
    const recover = async () => {
      this.crash()
      await this.reopen()
      await this.advance(recoverMs)
      return this.#monitor.last.position
    }
    const [first, second] = await this.#calmly(async () => {
      await this.advance(recoverMs)
      // What becomes due meanwhile would be no doing of the second one.
      for (let n = 0; n < 10 && isSomethingDue(this.#engine, 4 * recoverMs); n += 1)
        await this.advance(recoverMs)
      return [await recover(), await recover()] as const
    })
    if (second !== first)
      this.#monitor.note('second-recovery', undefined, `it records ${second - first} more after ${first}`)
  }

  /** Verifies the ledger whole, and folds every box from zero, by the step that the simulation was given. */
  async verify(): Promise<void> {
    const { step } = this.#surroundings.options
    for (const { box, message } of await this.until(unsoundIn(this.runtime, this.disk, step)))
      this.#monitor.note('sound', box, message)
  }

  /** Position and hash of the last record: equal ones have equal histories. */
  get tail(): Pick<LedgerRecord, 'position' | 'hash'> {
    const { position, hash } = this.#monitor.last
    return { position, hash }
  }

  /** Hash over all that has happened, the records and beside them. */
  get hash(): string {
    return this.#monitor.hash
  }

  /** Hours that boxes have existed, summed up. */
  get boxHours(): number {
    return this.#monitor.boxHours
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endLife()
    await atRest()
  }

  /** While guests do nothing by themselves. */
  async #calmly<T>(body: () => Promise<T>): Promise<T> {
    const before = this.host.isCalm
    this.host.isCalm = true
    try {
      return await body()
    } finally {
      this.host.isCalm = before
    }
  }

  #endLife(): void {
    const engine = this.#engine
    this.#life.end()
    this.#engine = undefined
    this.#runtime = undefined
    this.host.ownerEnded()
    // Nothing of it reaches anybody any more; this ends its waits, and so frees it.
    engine?.audience.close()
    engine?.root.stop()
  }
}

function closed(): BoxError {
  return new BoxError('ENGINE_CLOSED', 'No engine runs in the simulation')
}
