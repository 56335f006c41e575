import { BoxError } from '../../machines/index.ts'
import type { Fate } from '../host/behaviour.ts'
import type { Random } from '../random.ts'
import type { Faults } from './faults.ts'
import type { Simulation } from './simulation.ts'

const hourMs = 3_600_000

const fates: readonly Fate['does'][] = [
  'power-off',
  'exit',
  'panic',
  'reboot',
  'reboot',
  'crash',
  'crash',
  'vcpu-error',
  'shutdown',
  'pause',
  'resume',
  'silence',
]

/** Brings about what nobody asked for, as often as it is told to. */
export class Chaos {
  readonly #world: Simulation
  readonly #random: Random
  /** boundaries of the engine until it is killed at one; undefined: it is not */
  #fuse: number | undefined
  isCalm = false
  crashes = 0
  closes = 0
  hostReboots = 0

  constructor(world: Simulation, random: Random, faults: Faults) {
    this.#world = world
    this.#random = random
    this.#often(
      () => faults.crashes,
      () => this.#crash(),
    )
    this.#often(
      () => faults.closes,
      () => void this.#close(),
    )
    this.#often(
      () => faults.hostReboots,
      () => this.#reboot(),
    )
    this.#often(
      () => faults.fullDisks,
      () => this.#fillDisk(),
    )
    this.#often(
      () => faults.clockSteps,
      () => world.clock.setBy(random.between(-600_000, 600_000)),
    )
    this.#often(
      () => faults.fates * world.host.alive.length,
      () => this.#befall(),
    )
  }

  /** The engine has come to a boundary. */
  boundary(): void {
    if (this.#fuse === undefined) return
    this.#fuse -= 1
    if (this.#fuse > 0) return
    this.#fuse = undefined
    this.#kill()
  }

  /** Ends all that is wrong with the world. */
  rest(): void {
    this.isCalm = true
    this.#fuse = undefined
    this.#world.disk.isFull = false
  }

  /** Opens the home again, and again while that fails; the world goes on meanwhile. */
  async reopen(afterMs: number): Promise<void> {
    const { clock } = this.#world
    for (let ms = afterMs; ; ms = 5_000) {
      await new Promise<void>(resolve => clock.setTimeout(resolve, ms))
      try {
        await this.#world.reopen()
        if (this.#world.isUp) return
      } catch (error) {
        if (!BoxError.is(error)) throw error
        // For good, and noted already.
        if (error.code === 'LEDGER_CORRUPT') return
      }
    }
  }

  /** So often an hour, at times that nobody knows; the rate is asked for anew each time. */
  #often(rate: () => number, happen: () => void): void {
    // Where nothing is to happen now, it is asked again after a while.
    const ms = rate() > 0 ? this.#random.wait(hourMs / rate()) : hourMs / 10
    const happens = rate() > 0
    this.#world.clock.setTimeout(() => {
      if (happens && !this.isCalm) happen()
      this.#often(rate, happen)
    }, ms)
  }

  #crash(): void {
    if (!this.#world.isUp || this.#fuse !== undefined) return
    // Half of the kills come between two things of the engine, the others at any time.
    if (this.#random.chance(0.5)) this.#fuse = this.#random.between(1, 20)
    else this.#kill()
  }

  #kill(): void {
    const wasUp = this.#world.isUp
    this.crashes += 1
    this.#world.crash()
    // Another one may be killed while it recovers.
    if (this.#random.chance(0.2) && !this.isCalm) this.#fuse = this.#random.between(1, 10)
    if (wasUp) void this.reopen(this.#random.wait(20_000))
  }

  async #close(): Promise<void> {
    if (!this.#world.isUp) return
    this.closes += 1
    const { life } = this.#world
    await this.#world.close()
    if (this.#world.life === life) await this.reopen(this.#random.wait(20_000))
  }

  #reboot(): void {
    const wasUp = this.#world.isUp
    this.hostReboots += 1
    this.#world.rebootHost()
    if (wasUp) void this.reopen(this.#random.wait(60_000))
  }

  #fillDisk(): void {
    const { disk, clock } = this.#world
    disk.isFull = true
    this.#world.say('the disk is full')
    clock.setTimeout(() => {
      disk.isFull = false
      this.#world.say('the disk has room')
    }, this.#random.wait(120_000))
  }

  #befall(): void {
    const { alive } = this.#world.host
    if (alive.length === 0) return
    const vmm = this.#random.pick(alive)
    const does = this.#random.pick(fates)
    this.#world.say(`its fate: ${does}`, vmm.start.box)
    const fate = { does, exitCode: this.#random.below(3), forMs: this.#random.wait(40_000) }
    // A guest that reboots may do so over and over again.
    const times = does === 'reboot' && this.#random.chance(0.3) ? 5 : 1
    for (let n = 0; n < times; n += 1) vmm.befall(fate)
  }
}
