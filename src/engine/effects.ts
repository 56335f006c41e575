import { type Actor, createActor } from 'xstate'
import {
  type Boundary,
  BoxError,
  type BoxFact,
  backoffMs,
  type Effect,
  type Head,
  publicStateOf,
} from '../machines/index.ts'
import type { DriverInput, Hands } from '../vmm/index.ts'
import type { Root } from './root.ts'
import { SnapshotRemovals } from './snapshot-removals.ts'
import type { StartQueue } from './start-queue.ts'

type DriverActor = Actor<Hands['driver']>

export interface EffectWorld {
  readonly home: string
  readonly root: Root
  readonly queue: StartQueue
  /** in [0, 1) */
  readonly random: () => number
  readonly hands: Hands
  readonly driver: Pick<DriverInput, 'vmm' | 'onProgress'> & { readonly boundary: Boundary }
  readonly tell: (box: string, fact: BoxFact) => Promise<void>
  /** a VMM has fallen silent, or answers again */
  readonly onResponding: (box: string, responding: boolean) => void
}

/** Runs what durable transitions ask for. Nothing here is remembered: heads hold what is under way. */
export class Effects {
  readonly #world: EffectWorld
  readonly #running = new Map<string, Set<string>>()
  readonly #drivers = new Map<string, { incarnation: number; actor: DriverActor }>()
  readonly #removals: SnapshotRemovals
  #closed = false

  constructor(world: EffectWorld) {
    this.#world = world
    this.#removals = new SnapshotRemovals({
      home: world.home,
      removeSnapshot: world.hands.removeSnapshot,
      boundary: world.driver.boundary,
      tell: (box, fact) => this.#tell(box, fact),
    })
  }

  /** Makes what runs for a box what its head holds: ends what is not wanted any more, begins what is new. */
  follow(head: Head, recovered = false): void {
    if (this.#closed) return
    const { box, state } = head
    const wanted = new Map(Object.values(state.effects).map(effect => [effect.id, effect]))
    const running = this.#running.get(box) ?? new Set<string>()
    for (const id of [...running])
      if (!wanted.has(id)) {
        running.delete(id)
        this.#drivers.get(box)?.actor.send({ type: 'cancel', id })
      }
    if (publicStateOf(state.value) !== 'starting') this.#world.queue.leave(box)
    else if (recovered && state.effects.queueStart === undefined) this.#world.queue.hold(box)
    if (!state.context.open) this.#stopDriver(box)
    this.#removals.follow(head)
    for (const [id, effect] of wanted)
      if (!running.has(id)) {
        running.add(id)
        this.#begin(head, effect, recovered)
      }
    if (running.size === 0) this.#running.delete(box)
    else this.#running.set(box, running)
  }

  /** Asks the host what became of an incarnation of an earlier engine; the answer comes as a fact. */
  look(head: Head): void {
    this.#driverOf(head).send({ type: 'look' })
  }

  close(): void {
    this.#closed = true
    for (const box of [...this.#drivers.keys()]) this.#stopDriver(box)
  }

  #begin(head: Head, effect: Effect, recovered: boolean): void {
    const { box } = head
    const { incarnation } = effect
    if (effect.type === 'queueStart') {
      this.#world.queue.enter(box, () => {
        this.#tell(box, { type: 'start.stage', stage: 'preparing', incarnation })
      })
    } else if (effect.type === 'scheduleRestart') {
      const { spec, restart } = head.state.context
      const delayMs = backoffMs(spec.restart, restart.attempts, this.#world.random())
      this.#tell(box, { type: 'restart.scheduled', delayMs, incarnation })
    } else if (effect.type === 'removeFiles') void this.#removeFiles(box, incarnation)
    else this.#driverOf(head).send({ type: 'effect', effect, context: head.state.context, recovered })
  }

  async #removeFiles(box: string, incarnation: number): Promise<void> {
    try {
      await this.#world.hands.removeFiles(this.#world.home, box, this.#world.driver.boundary)
      this.#tell(box, { type: 'box.removed', incarnation })
    } catch (error) {
      const { message } = error as Error
      const code = BoxError.is(error) ? error.code : 'ENGINE_FAILED'
      this.#tell(box, { type: 'remove.failed', code, message, incarnation })
    }
  }

  /** Facts of the engine's own; that it is closing is the one reason for which one is not recorded. */
  #tell(box: string, fact: BoxFact): void {
    this.#world.tell(box, fact).catch(error => {
      if (!BoxError.is(error, 'ENGINE_CLOSED')) throw error
    })
  }

  #driverOf(head: Head): DriverActor {
    const { box, state } = head
    const { incarnation } = state.context
    const known = this.#drivers.get(box)
    if (known?.incarnation === incarnation) return known.actor
    this.#stopDriver(box)
    const id = `vmm/${box}/${incarnation}`
    const actor = createActor(this.#world.hands.driver, {
      id,
      systemId: id,
      parent: this.#world.root,
      input: {
        box,
        incarnation,
        home: this.#world.home,
        context: state.context,
        tell: fact => this.#world.tell(box, fact),
        onResponding: responding => this.#world.onResponding(box, responding),
        ...this.#world.driver,
      },
    })
    this.#drivers.set(box, { incarnation, actor })
    actor.start()
    return actor
  }

  #stopDriver(box: string): void {
    const known = this.#drivers.get(box)
    this.#drivers.delete(box)
    if (known !== undefined) this.#world.root.send({ type: 'end', child: known.actor })
  }
}
