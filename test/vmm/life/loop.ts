import {
  type BoxCommand,
  type BoxEvent,
  type BoxFact,
  type BoxSpec,
  type BoxState,
  type Effect,
  type EffectType,
  isRefusal,
  pathOf,
  publicStateOf,
  step,
} from 'boxledger/machines'
import { removeBoxFiles, type VmmChoice, vmmDriver } from 'boxledger/vmm'
import { type ActorRefFrom, createActor } from 'xstate'

export interface LoopOptions {
  readonly home: string
  vmm: VmmChoice
  readonly box?: string
  readonly spec?: Partial<BoxSpec>
  /** the engine dies, once, when a fact of this type is told: it is not recorded */
  readonly dieAtFact?: BoxFact['type']
  /** the engine dies, once, when this is to be done: it is recorded and not done */
  readonly dieAtEffect?: EffectType
  readonly onResponding?: (responding: boolean) => void
  /** what is put into the home first */
  readonly prepare?: (home: string) => void
}

type Stamped = BoxEvent & { readonly incarnation: number }

const defaults: BoxSpec = {
  cpus: 1,
  memoryMib: 64,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 10_000,
}

const settling: readonly string[] = ['vmm.adopted', 'vmm.exited', 'host.rebooted', 'box.unknown']

/** The smallest engine there is: the pure step and one driver, with the record of all events in memory. */
export class Loop {
  readonly options: LoopOptions
  readonly box: string
  readonly events: Stamped[] = []
  state: BoxState
  #actor: ActorRefFrom<typeof vmmDriver> | undefined
  #actorOf = 0
  #version = 0
  #timers = new Map<string, NodeJS.Timeout>()
  #waiting = new Set<() => void>()
  #stopped = false
  #hasDied = false
  #looking = false

  constructor(options: LoopOptions) {
    this.options = options
    this.box = options.box ?? 'abcdefghijkl'
    options.prepare?.(options.home)
    const spec = { ...defaults, ...options.spec }
    const created = { type: 'box.created', id: this.box, name: null, labels: {}, spec } as const
    const first = step(undefined, created, { at: Date.now(), version: ++this.#version })
    if (isRefusal(first)) throw new Error('refused')
    this.state = first.state
  }

  get public(): string {
    return publicStateOf(this.state.value)
  }

  get isDead(): boolean {
    return this.#stopped
  }

  get pid(): number {
    const pid = this.state.context.process?.pid
    if (pid === undefined) throw new Error('no process is known')
    return pid
  }

  types(): string[] {
    return this.events.map(({ type }) => type)
  }

  find<T extends BoxEvent['type']>(type: T): Extract<Stamped, { type: T }> | undefined {
    return this.events.findLast((event): event is Extract<Stamped, { type: T }> => event.type === type)
  }

  count(type: BoxEvent['type']): number {
    return this.types().filter(other => other === type).length
  }

  send(command: BoxCommand): void {
    this.#take(command)
  }

  /** Resolves when it is so; rejects, telling what happened instead, when it takes too long. */
  async until(test: () => boolean, what: string, limitMs = 20_000): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        if (!test()) return
        clearTimeout(limit)
        this.#waiting.delete(done)
        resolve()
      }
      const limit = setTimeout(() => {
        this.#waiting.delete(done)
        const seen = this.events.map(event => JSON.stringify(event)).join('\n')
        reject(
          new Error(
            `${what}: not within ${limitMs} ms. In ${JSON.stringify(this.state.value)} after\n${seen}`,
          ),
        )
      }, limitMs)
      this.#waiting.add(done)
      done()
    })
  }

  async reach(state: string, limitMs?: number): Promise<void> {
    await this.until(() => this.public === state, `to be ${state}`, limitMs)
  }

  async start(state = 'running'): Promise<void> {
    this.send({ type: 'start.requested' })
    await this.until(() => this.public !== 'starting' && this.public !== 'stopping', 'the end of the start')
    if (this.public !== state) throw new Error(`${this.public}: ${JSON.stringify(this.events, null, 1)}`)
  }

  /** The engine dies: nothing more is told or asked, timers are lost. */
  die(): void {
    this.#stopped = true
    this.#hasDied = true
    this.#actor?.stop()
    this.#actor = undefined
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  /** A new engine comes: it looks at what may have a VMM, and asks again for what was asked. */
  revive({ look = true } = {}): void {
    this.#stopped = false
    const { value, context } = this.state
    if (!context.open || !look) return
    if (['starting.queued', 'starting.preparing', 'starting.spawning'].includes(pathOf(value)))
      this.#askAgain()
    else {
      this.#looking = true
      this.#driver().send({ type: 'look' })
    }
  }

  #askAgain(): void {
    for (const effect of Object.values(this.state.effects)) this.#ask(effect, true)
  }

  #take(event: BoxEvent): void {
    const before = this.state
    const outcome = step(before, event, { at: Date.now(), version: ++this.#version })
    if (isRefusal(outcome)) throw new Error(`${event.type} is refused in ${outcome.state}`)
    this.state = outcome.state
    this.events.push(outcome.event)
    for (const [id, effect] of Object.entries(before.effects))
      if (this.state.effects[id]?.id !== effect.id) this.#actor?.send({ type: 'cancel', id: effect.id })
    for (const id of outcome.timers.cancelled) this.#clear(id)
    for (const { id, dueAt } of outcome.timers.set) {
      this.#clear(id)
      const fire = () => {
        this.#timers.delete(id)
        this.#take({ type: 'timer.fired', timer: id, incarnation: this.state.context.incarnation })
      }
      this.#timers.set(id, setTimeout(fire, Math.max(0, dueAt - Date.now())))
    }
    if (!this.state.context.open && !['removing', 'removed'].includes(this.public)) this.#actor?.stop()
    // Until the look is over nothing is begun; then all that holds is asked for again.
    if (!this.#looking) for (const effect of outcome.effects) if (!this.#stopped) this.#ask(effect, false)
    if (this.#looking && settling.includes(event.type)) {
      this.#looking = false
      this.#askAgain()
    }
    for (const wake of [...this.#waiting]) wake()
  }

  #clear(id: string): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
  }

  #ask(effect: Effect, recovered: boolean): void {
    const { incarnation } = effect
    if (effect.type === this.options.dieAtEffect && !this.#hasDied) this.die()
    else if (effect.type === 'queueStart')
      queueMicrotask(() => this.#take({ type: 'start.stage', stage: 'preparing', incarnation }))
    else if (effect.type === 'removeFiles')
      void removeBoxFiles(this.options.home, this.box).then(() =>
        this.#take({ type: 'box.removed', incarnation }),
      )
    else this.#driver().send({ type: 'effect', effect, context: this.state.context, recovered })
  }

  #driver(): ActorRefFrom<typeof vmmDriver> {
    const { context } = this.state
    if (this.#actor && this.#actorOf === context.incarnation) return this.#actor
    this.#actor?.stop()
    this.#actorOf = context.incarnation
    const tell = async (fact: BoxFact) => {
      await Promise.resolve() // as a batch that is written
      if (fact.type === this.options.dieAtFact && !this.#hasDied) {
        this.die()
        for (const wake of [...this.#waiting]) wake()
      }
      if (this.#stopped) throw new Error('The engine has died')
      this.#take(fact)
    }
    const { home, vmm, onResponding = () => {} } = this.options
    const { box } = this
    const input = { box, incarnation: context.incarnation, home, context, tell, vmm, onResponding }
    this.#actor = createActor(vmmDriver, { input }).start()
    return this.#actor
  }
}
