import type { Clock } from '../../engine/index.ts'
import type { BoxFact, Exit, ProcessIdentity, VmPresence } from '../../machines/index.ts'
import type { Behaviour, Call, Fate, Start } from './behaviour.ts'

type WithoutPlace<T> = T extends unknown ? Omit<T, 'incarnation' | 'offset'> : never
/** What the VMM's event monitor and the guest's channel say, oldest first. */
export type HostEvent = WithoutPlace<
  Extract<
    BoxFact,
    {
      type:
        | 'vm.booted'
        | 'vm.paused'
        | 'vm.resumed'
        | 'guest.ready'
        | 'guest.powered-off'
        | 'guest.rebooted'
        | 'guest.panicked'
        | 'command.exited'
    }
  >
>

/** `cut`: the VMM ended, or the answer was lost. */
export type Answer = 'done' | 'refused' | 'cut'

/** How long what is due in a guest is put off while its VM is paused, and its fate while the world is calm, in `ms`. */
const putOffMs = 1_000

export interface Surroundings {
  readonly clock: Clock
  /** nothing happens by itself just now */
  readonly isCalm: () => boolean
}

/** A VMM process of the simulated host, with its VM and its guest. It knows nothing of engines, and outlives them. */
export class SimulatedVmm {
  readonly start: Start
  readonly process: ProcessIdentity
  readonly detach: boolean
  readonly events: HostEvent[] = []
  vm: VmPresence = 'none'
  isAlive = true
  /** what proof of death brings to light */
  exit: Exit = { spawned: true, last: 'none', noShutdown: true }
  readonly #clock: Clock
  readonly #behaviour: Behaviour
  readonly #isCalm: () => boolean
  readonly #watchers = new Set<() => void>()
  readonly #died: Promise<void>
  #die: () => void = () => {}
  /** one thing is done at a time */
  #turn: Promise<void> = Promise.resolve()
  #hangs = false
  #silentUntil = 0
  /** counts boots and reboots: what an earlier guest had in mind is off */
  #guest = 0

  constructor(start: Start, process: ProcessIdentity, behaviour: Behaviour, { clock, isCalm }: Surroundings) {
    this.start = start
    this.#isCalm = isCalm
    this.process = process
    this.detach = start.spec.detach
    this.#behaviour = behaviour
    this.#clock = clock
    this.#died = new Promise(resolve => {
      this.#die = resolve
    })
  }

  get isRunning(): boolean {
    return this.isAlive && this.vm === 'running'
  }

  /** It lives, and answers nothing. */
  get isMute(): boolean {
    return this.isAlive && (this.#hangs || this.#silentUntil > this.#clock.monotonic())
  }

  /** Told after each change. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** A call over the socket: `act` is what it does. */
  async request(call: Call, act: () => void): Promise<Answer> {
    const { ms = 1, answerMs = 0, outcome = 'done' } = call
    const before = this.#turn
    let over = () => {}
    this.#turn = new Promise(resolve => {
      over = resolve
    })
    try {
      await this.#orDeath(before)
      while (this.isAlive && this.#silentUntil > this.#clock.monotonic())
        await this.#pause(this.#silentUntil - this.#clock.monotonic())
      await this.#pause(ms)
      if (!this.isAlive) return 'cut'
      if (outcome === 'dies') this.end({ signal: 'SIGSEGV' })
      else if (outcome === 'hangs') {
        this.#hangs = true
        this.#tell()
        await this.#died
      } else if (outcome !== 'refused') act()
      if (outcome === 'dies' || outcome === 'hangs') return 'cut'
      await this.#pause(answerMs)
      if (outcome === 'refused') return 'refused'
      return outcome === 'lost' || (answerMs > 0 && !this.isAlive) ? 'cut' : 'done'
    } finally {
      over()
    }
  }

  /** Resolves when it answers again, or has ended. */
  async heard(): Promise<void> {
    while (this.isMute)
      await (this.#hangs ? this.#died : this.#pause(this.#silentUntil - this.#clock.monotonic()))
  }

  create(): void {
    if (this.vm === 'none') this.vm = 'created'
  }

  beginBoot(): void {
    this.exit = { ...this.exit, last: 'booting' }
  }

  boot(): void {
    this.vm = 'running'
    this.exit = { ...this.exit, last: 'none' }
    this.#say({ type: 'vm.booted' })
    this.#beginGuest()
    for (const fate of this.#behaviour.fates) this.#await(fate.afterMs, () => this.#meet(fate))
  }

  /** Makes the VM of a snapshot, paused; its guest is ready, or `stale` until it says that it is. */
  restore({ isStale = false } = {}): void {
    if (this.vm !== 'none') return
    this.vm = 'paused'
    if (isStale) this.#beginGuest()
    else this.#guest += 1
    for (const fate of this.#behaviour.fates) this.#await(fate.afterMs, () => this.#meet(fate))
  }

  pause(): void {
    if (this.vm !== 'running') return
    this.vm = 'paused'
    this.#say({ type: 'vm.paused' })
  }

  resume(): void {
    if (this.vm !== 'paused') return
    this.vm = 'running'
    this.#say({ type: 'vm.resumed' })
  }

  pressButton(): void {
    const { powerOffMs } = this.#behaviour
    const guest = this.#guest
    if (this.isRunning) this.#await(powerOffMs, () => guest === this.#guest && this.powerOff())
  }

  /** The guest's own doing: the VMM lives on, with a VM that is off. */
  powerOff(): void {
    if (!this.isRunning) return
    this.cut()
    this.#say({ type: 'guest.powered-off' })
  }

  /** Takes the VM's power away. */
  cut(): void {
    if (this.vm !== 'running' && this.vm !== 'paused') return
    this.vm = 'created'
    this.#guest += 1
    this.exit = { ...this.exit, last: 'orderly' }
  }

  /** What nobody asked for happens. */
  befall({ does, exitCode = 0, forMs = 60_000 }: Omit<Fate, 'afterMs'>): void {
    if (!this.isAlive) return
    if (does === 'crash') this.end({ signal: 'SIGABRT', last: 'none' })
    else if (does === 'silence') this.#fallSilent(forMs)
    else if (does === 'resume') this.resume()
    else if (does === 'shutdown') this.end({ exitCode: 0, last: 'orderly' })
    else if (!this.isRunning) return
    else if (does === 'pause') this.pause()
    else if (does === 'power-off') this.powerOff()
    else if (does === 'panic') this.#say({ type: 'guest.panicked' })
    else if (does === 'vcpu-error') this.end({ exitCode: 0, last: 'orderly', vcpuError: true })
    else if (does === 'exit') {
      this.exit = { ...this.exit, commandExitCode: exitCode }
      this.#say({ type: 'command.exited', exitCode })
      this.powerOff()
    } else {
      this.#say({ type: 'guest.rebooted', count: 1 })
      this.#beginGuest()
    }
  }

  /** The process ends. */
  end(exit: Partial<Exit>): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.exit = { ...this.exit, ...exit }
    this.#guest += 1
    this.#die()
    this.#tell()
  }

  #beginGuest(): void {
    this.#guest += 1
    const guest = this.#guest
    this.#await(this.#behaviour.readyMs, () => {
      if (guest === this.#guest) this.#say({ type: 'guest.ready' })
    })
  }

  #meet(fate: Fate): void {
    if (this.#isCalm()) this.#await(putOffMs, () => this.#meet(fate))
    else this.befall(fate)
  }

  #fallSilent(ms: number): void {
    this.#silentUntil = this.#clock.monotonic() + ms
    this.#clock.setTimeout(() => this.#tell(), ms)
    this.#tell()
  }

  /** Something in the guest is due after so many `ms` of running. */
  #await(ms: number, happen: () => void): void {
    if (ms === Number.POSITIVE_INFINITY) return
    this.#clock.setTimeout(() => {
      if (!this.isAlive) return
      if (this.vm === 'paused') this.#await(putOffMs, happen)
      else happen()
    }, ms)
  }

  #say(event: HostEvent): void {
    this.events.push(event)
    this.#tell()
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  #pause(ms: number): Promise<void> {
    return this.#orDeath(new Promise(resolve => this.#clock.setTimeout(resolve, ms)))
  }

  #orDeath(wait: Promise<void>): Promise<void> {
    return Promise.race([wait, this.#died])
  }
}
