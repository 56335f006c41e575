import type { Exit } from '../../machines/index.ts'
import type { HostEvent, SimulatedVmm } from '../host/simulated-vmm.ts'
import { type Incarnation, closed as over } from './incarnation.ts'

/** Silence after which a VMM does not respond, and after which nothing is known of it, in `ms`. */
const silentMs = 2_000
const lostMs = 30_000

/** How long the telling of a death waits for the answer of the rung that caused it, in `ms`. */
const rungMs = 1_000

/** Turns what a VMM and its guest do into facts, each once and in order, until the VMM is dead. */
export class Watch {
  readonly #box: Incarnation
  /** events read so far: the offset that facts carry */
  #read: number
  #bootedTold: boolean
  #reading: Promise<void> | undefined
  #unwatch: () => void = () => {}
  #isNoticing = false
  #ending: Promise<void> | undefined
  #rung: Promise<unknown> = Promise.resolve()
  #silence: unknown[] = []
  #isResponding = true

  constructor(box: Incarnation) {
    this.#box = box
    this.#read = box.context.eventOffset
    this.#bootedTold = box.context.startedAt !== null
    box.closed.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** Begins with a VMM that was made or found. */
  follow(vmm: SimulatedVmm): void {
    if (this.#box.vmm === vmm || this.#box.closed.aborted) return
    this.#box.vmm = vmm
    this.#unwatch = vmm.watch(() => this.#notice())
    if (!vmm.isAlive || vmm.isMute || vmm.events.length > this.#read) this.#notice()
  }

  /** Tells all that was said by now. */
  async read(): Promise<void> {
    while (this.#reading !== undefined) await this.#reading
    this.#reading = this.#readOn().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  /** Tells once that the VM has booted, whether the events or the answer say so first. */
  async tellBooted(offset?: number): Promise<void> {
    if (this.#bootedTold) return
    this.#bootedTold = true
    await this.#box.tell({ type: 'vm.booted', ...(offset === undefined ? {} : { offset }) })
  }

  /** While a rung of the ladder waits for its answer, the death that it causes is not told before it. */
  async duringRung(rung: Promise<void>): Promise<void> {
    this.#rung = rung.catch(() => {})
    await rung
  }

  /** Tells the ending, once; all that was said before it first. */
  end(exit?: Exit): Promise<void> {
    this.#ending ??= this.#tellEnding(exit)
    return this.#ending
  }

  /** An own call has begun or ended: only a VMM that nobody keeps busy is silent. */
  reviewSilence(): void {
    const { vmm, calls, world, input, closed } = this.#box
    const { clock } = world.life
    const mute = vmm?.isMute === true && calls === 0 && !closed.aborted
    if (mute && this.#silence.length === 0) {
      this.#silence = [
        clock.setTimeout(() => {
          this.#isResponding = false
          input.onResponding?.(false)
        }, silentMs),
        clock.setTimeout(() => this.#tellLost(), lostMs),
      ]
    } else if (!mute) {
      for (const handle of this.#silence.splice(0)) clock.clearTimeout(handle)
      if (this.#isResponding || vmm?.isMute) return
      this.#isResponding = true
      input.onResponding?.(true)
    }
  }

  #tellLost(): void {
    const { stop, failure, next, unknownReason } = this.#box.context
    if (stop !== null || failure !== null || next !== null || unknownReason !== null) return
    const reason = 'the VMM lives, but has not answered for 30 s'
    this.#box.tell({ type: 'box.unknown', reason }).catch(ignoreClosed)
  }

  #notice(): void {
    this.reviewSilence()
    if (this.#isNoticing) return
    this.#isNoticing = true
    this.#box
      .pause(this.#box.world.noticeMs())
      .then(async () => {
        this.#isNoticing = false
        await this.read()
        if (!this.#box.vmm?.isAlive) await this.end()
      })
      .catch(ignoreClosed)
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const event = this.#box.vmm?.events[this.#read]
      if (event === undefined) return
      this.#read += 1
      await this.#tellEvent(event, this.#read)
    }
  }

  async #tellEvent(event: HostEvent, offset: number): Promise<void> {
    if (event.type === 'vm.booted') await this.tellBooted(offset)
    else await this.#box.tell({ ...event, offset })
  }

  async #tellEnding(exit: Exit | undefined): Promise<void> {
    const { vmm, isParent } = this.#box
    await Promise.race([this.#rung, this.#box.pause(rungMs)])
    await this.read()
    const { exitCode, signal, ...seen } = exit ?? vmm?.exit ?? neverMade
    const code = isParent
      ? { ...(exitCode === undefined ? {} : { exitCode }), ...(signal === undefined ? {} : { signal }) }
      : {}
    await this.#box.tell({ type: 'vmm.exited', ...seen, ...code })
    this.#stop()
  }

  #stop(): void {
    this.#unwatch()
    for (const handle of this.#silence.splice(0)) this.#box.world.life.clock.clearTimeout(handle)
  }
}

export const neverMade: Exit = { spawned: false, last: 'none', noShutdown: true }

export function ignoreClosed(error: unknown): void {
  if (error !== over) throw error
}
