import { isDeepStrictEqual } from 'node:util'
import { BoxError, type BoxInfo, type CommandOptions } from 'boxledger'
import { type BoxState, type step as boxStep, isRefusal, publicStateOf } from 'boxledger/machines'
import { type Flush, Simulation } from 'boxledger/testing'
import type { PlainBox } from './model.ts'
import type { Command, Fate, Obstacle, Step } from './steps.ts'

/** Longer than all that a step sets off, apart from restarts, in `ms`. */
const settleMs = 3_000
/** One restart falls into each wait; a run through a whole wait is long, one from such a restart to its end is not. */
const hourMs = 3_600_000
const waitMs = hourMs + 60_000
const resetAfterMs = 0.75 * hourMs
const backoff = { initialMs: hourMs, factor: 1, maxMs: hourMs, jitter: 0, resetAfterMs }

export type Observed = Pick<
  PlainBox,
  'box' | 'name' | 'state' | 'incarnation' | 'cause' | 'exitCode' | 'restarts' | 'isDue'
>

interface Control {
  /** what a start does not get past */
  fails: Obstacle | undefined
  /** boundaries until the engine is killed; 0 or less: it is not */
  fuse: number
  /** what becomes of a write, counted from the next one */
  rejected: { readonly write: number; readonly outcome: 'there' | 'lost' } | undefined
}

/** The real engine in a simulated world, to which steps are done. */
export class Home {
  readonly #world: Simulation
  readonly #control: Control
  readonly #step: typeof boxStep
  readonly #ids = new Map<number, string>()
  /** the fold of every box from zero */
  readonly #folded = new Map<string, { state: BoxState; version: number }>()
  #position = 0
  #commands = 0

  private constructor(world: Simulation, control: Control, step: typeof boxStep) {
    this.#world = world
    this.#control = control
    this.#step = step
  }

  static async open(step: typeof boxStep): Promise<Home> {
    const control: Control = { fails: undefined, fuse: 0, rejected: undefined }
    let world: Simulation | undefined
    world = await Simulation.open({
      seed: 1,
      timeline: false,
      script: () => {
        const { fails } = control
        return { call: name => (name === fails ? { outcome: 'refused' } : {}) }
      },
      flush: () => ({ writeMs: 0, answerMs: 0, outcome: outcomeOfNext(control) }),
      boundary: () => {
        control.fuse -= 1
        if (control.fuse === 0) world?.crash()
      },
      step,
    })
    return new Home(world, control, step)
  }

  /** Does a step, and lets everything come to rest. Gives what its caller was told. */
  async take(step: Step): Promise<string | null> {
    const code = await this.#do(step)
    await this.#world.advance(settleMs)
    this.#control.fails = undefined
    this.#control.rejected = undefined
    return code
  }

  async #do(step: Step): Promise<string | null> {
    const world = this.#world
    switch (step.do) {
      case 'together':
        await world.until(Promise.all([this.#command(step.first), this.#command(step.second)]))
        return null
      case 'interrupted':
        this.#control.fuse = step.boundary
        if (step.step.do === 'fate') this.#fate(step.step)
        else void this.#command(step.step)
        await world.advance(settleMs)
        await this.#nextEngine()
        return null
      case 'repeated': {
        const command = { commandId: `command-${this.#commands++}` }
        this.#control.fuse = step.boundary
        void this.#command(step.step, command)
        await world.advance(settleMs)
        await this.#nextEngine()
        await world.until(this.#command(step.step, command))
        return null
      }
      case 'rejected':
        this.#control.rejected = { write: step.write, outcome: step.outcome }
        await world.until(this.#command(step.step))
        return null
      case 'crash':
      case 'close':
      case 'reboot':
        if (step.do === 'crash') world.crash()
        else if (step.do === 'close') await world.until(world.close())
        else world.rebootHost()
        for (const fate of step.meanwhile) this.#fate(fate)
        await world.until(world.reopen())
        return null
      case 'wait':
        this.#control.fails = step.fails
        await world.advance(waitMs)
        return null
      case 'fate':
        this.#fate(step)
        return null
      default:
        return world.until(this.#command(step))
    }
  }

  async #nextEngine(): Promise<void> {
    this.#control.fuse = 0
    this.#world.crash()
    await this.#world.until(this.#world.reopen())
  }

  async #command(command: Command, c: CommandOptions = {}): Promise<string> {
    try {
      await this.#give(command, c)
      return 'none'
    } catch (error) {
      if (!BoxError.is(error)) throw error
      return error.code
    }
  }

  async #give(command: Command, c: CommandOptions): Promise<unknown> {
    const { runtime } = this.#world
    if (command.do === 'create') {
      const { box, name, policy, retries, autoRemove, detach } = command
      const restart = { policy, backoff, ...(retries === null ? {} : { maxRetries: retries }) }
      const labels = { box: String(box) }
      return runtime.create({ ...(name === null ? {} : { name }), labels, restart, autoRemove, detach }, c)
    }
    const id = this.#idOf(command.box)
    if (command.do === 'remove') return runtime.remove(id, { force: command.force, ...c })
    if (command.do === 'rename') return runtime.rename(id, command.name, c)
    const box = await runtime.get(id)
    if (box === undefined) throw new BoxError('NOT_FOUND', `There is no box ${id}`)
    if (command.do === 'stop') return box.stop({ mode: command.mode, ...c })
    if (command.do === 'start' || command.do === 'restart') this.#control.fails = command.fails
    return box[command.do](c)
  }

  #fate({ box, does }: Fate): void {
    const vmm = this.#world.host.vmmOf(this.#idOf(box))
    if (does === 'reboot-loop') for (let n = 0; n < 5; n += 1) vmm?.befall({ does: 'reboot' })
    else vmm?.befall(does === 'fail' ? { does: 'exit', exitCode: 3 } : { does })
  }

  /** Of a box that was refused, an ID that nobody has. */
  #idOf(box: number): string {
    return this.#ids.get(box) ?? 'zzzzzzzzzzzz'
  }

  /** What users see, oldest box first. */
  async observe(): Promise<Observed[]> {
    const infos = await this.#world.runtime.listInfo()
    return infos.reverse().map(info => {
      this.#ids.set(Number(info.labels.box), info.id)
      return observedOf(info)
    })
  }

  /** Throws where records, heads, look-ups and the fold from zero do not agree, or an invariant does not hold. */
  async check(): Promise<void> {
    const { runtime, disk, violations } = this.#world
    if (violations.length > 0) throw new Error(JSON.stringify(violations))
    await this.#fold()
    const infos = await runtime.listInfo()
    const living = [...this.#folded].filter(([, { state }]) => publicStateOf(state.value) !== 'removed')
    agree('the boxes that are listed', infos.map(({ id }) => id).sort(), living.map(([id]) => id).sort())
    for (const [id, { state, version }] of this.#folded) {
      const head = disk.head(id)
      agree(`the head of ${id}`, [head?.version, head?.state], [version, JSON.parse(JSON.stringify(state))])
    }
    for (const info of infos) {
      const { state, version } = this.#folded.get(info.id) ?? {}
      agree(
        `what is told of ${info.id}`,
        [info.version, info.state, info.name ?? null, info.incarnation, info.restarts],
        [version, state && publicStateOf(state.value), ...fieldsOf(state)],
      )
      agree(`the look-up of ${info.id}`, await runtime.getInfo(info.id), info)
      if (info.name !== undefined)
        agree(`the look-up of ${info.name}`, await runtime.getInfo(info.name), info)
    }
    for (const name of ['a', 'b', 'c'])
      agree(
        `whether there is a box ${name}`,
        await runtime.exists(name),
        infos.some(info => info.name === name),
      )
  }

  /** Folds what is new, in its order. */
  async #fold(): Promise<void> {
    for await (const record of this.#world.runtime.events({ from: this.#position + 1 })) {
      if (record.execution !== undefined) throw new Error('an execution that nobody asked for')
      const { box, position, version, event, at, to } = record
      const before = this.#folded.get(box)
      agree(`the order of ${box}`, [position, version], [this.#position + 1, (before?.version ?? 0) + 1])
      const outcome = this.#step(before?.state, event, { at: Date.parse(at), version })
      if (isRefusal(outcome)) throw new Error(`${event.type} at ${position} is refused when folded`)
      agree(`the outcome of ${event.type} at ${position}`, to, outcome.to)
      this.#folded.set(box, { state: outcome.state, version })
      this.#position = position
    }
  }

  /** Verifies the whole, and that a second recovery changes nothing; reads each history, of removed boxes too. */
  async end(): Promise<void> {
    await this.#world.settle()
    await this.#world.recoverTwice()
    await this.#world.verify()
    await this.check()
    for (const [id, { version }] of this.#folded) {
      const versions: number[] = []
      for await (const record of this.#world.runtime.history(id)) versions.push(record.version)
      agree(
        `the history of ${id}`,
        versions,
        Array.from({ length: version }, (_, n) => n + 1),
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]()
  }
}

function outcomeOfNext(control: Control): Flush['outcome'] {
  const { rejected } = control
  if (rejected === undefined) return 'written'
  const isNow = rejected.write === 1
  control.rejected = isNow ? undefined : { ...rejected, write: rejected.write - 1 }
  return isNow ? rejected.outcome : 'written'
}

function observedOf({ labels, name, state, incarnation, ending, restarts, restartAt }: BoxInfo): Observed {
  return {
    box: Number(labels.box),
    name: name ?? null,
    state: state as Observed['state'],
    incarnation,
    cause: ending?.cause ?? null,
    // The command of a box that is being stopped may end first, or be cut off.
    exitCode: ending?.cause === 'requested' ? null : (ending?.exitCode ?? null),
    restarts,
    isDue: restartAt !== undefined,
  }
}

const fieldsOf = (state: BoxState | undefined) => [
  state?.context.name,
  state?.context.incarnation,
  state?.context.restart.count,
]

function agree(what: string, found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${what}: ${JSON.stringify(found)}, where ${JSON.stringify(expected)} is expected`)
}
