import type { Clock } from '../../engine/index.ts'
import type { ProcessIdentity } from '../../machines/index.ts'
import type { Behaviour, Start } from './behaviour.ts'
import { SimulatedVmm } from './simulated-vmm.ts'

export interface SimulatedHostOptions {
  readonly clock: Clock
  /** told what no engine may bring about */
  readonly onWrong: (box: string, message: string) => void
}

/** The machine that VMMs run on, with its files: all that outlives an engine, apart from the disk of the ledger. */
export class SimulatedHost {
  readonly #clock: Clock
  readonly #onWrong: SimulatedHostOptions['onWrong']
  /** the last VMM of each box, alive or not */
  readonly #vmms = new Map<string, SimulatedVmm>()
  /** boxes that have files */
  readonly #files = new Set<string>()
  /** snapshots, each as `BOX/NAME` */
  readonly #snapshots = new Set<string>()
  #boots = 1
  #pids = 1_000
  /** what guests would do by themselves is put off */
  isCalm = false
  /** VMMs ever made */
  spawned = 0

  constructor({ clock, onWrong }: SimulatedHostOptions) {
    this.#clock = clock
    this.#onWrong = onWrong
  }

  /** Tells one boot of the host from another. */
  get bootId(): string {
    return `boot-${this.#boots}`
  }

  /** The VMM of a box that lives; undefined: none does. */
  vmmOf(box: string): SimulatedVmm | undefined {
    const vmm = this.#vmms.get(box)
    return vmm?.isAlive ? vmm : undefined
  }

  /** The last VMM of a box, alive or not, as long as the box has files. */
  lastOf(box: string): SimulatedVmm | undefined {
    return this.#vmms.get(box)
  }

  /** VMMs that live, in the order in which their boxes were first started. */
  get alive(): SimulatedVmm[] {
    return [...this.#vmms.values()].filter(vmm => vmm.isAlive)
  }

  /** Boxes of which there is anything, files or a VMM. */
  get boxes(): string[] {
    return [...new Set([...this.#files, ...this.#vmms.keys()])]
  }

  hasFiles(box: string): boolean {
    return this.#files.has(box)
  }

  /** What there is of an incarnation. */
  trace(box: string, incarnation: number): SimulatedVmm | undefined {
    const vmm = this.#vmms.get(box)
    return vmm?.start.incarnation === incarnation ? vmm : undefined
  }

  spawn(start: Start, behaviour: Behaviour): SimulatedVmm {
    const { box, incarnation } = start
    const before = this.#vmms.get(box)
    if (before?.isAlive)
      this.#onWrong(box, `VMM ${incarnation} is made while VMM ${before.start.incarnation} lives`)
    if (before !== undefined && before.start.incarnation >= incarnation)
      this.#onWrong(box, `VMM ${incarnation} is made after VMM ${before.start.incarnation}`)
    this.#pids += 1
    this.spawned += 1
    const process: ProcessIdentity = {
      pid: this.#pids,
      startTime: String(this.#clock.monotonic()),
      bootId: this.bootId,
      pidNamespace: 'simulated',
    }
    const vmm = new SimulatedVmm(start, process, behaviour, {
      clock: this.#clock,
      isCalm: () => this.isCalm,
    })
    this.#vmms.set(box, vmm)
    this.#files.add(box)
    return vmm
  }

  /** Something happens on the host in so many `ms`, whatever becomes of who began it. */
  after(ms: number, happen: () => void): void {
    this.#clock.setTimeout(happen, ms)
  }

  writeSnapshot(box: string, name: string): void {
    this.#snapshots.add(`${box}/${name}`)
  }

  hasSnapshot(box: string, name: string): boolean {
    return this.#snapshots.has(`${box}/${name}`)
  }

  removeSnapshot(box: string, name: string): void {
    this.#snapshots.delete(`${box}/${name}`)
  }

  makeFiles(box: string): void {
    this.#files.add(box)
  }

  removeFiles(box: string): void {
    if (this.vmmOf(box) !== undefined) this.#onWrong(box, 'its files are removed while its VMM lives')
    this.#files.delete(box)
    for (const key of this.#snapshots) if (key.startsWith(`${box}/`)) this.#snapshots.delete(key)
    this.#vmms.delete(box)
  }

  /** The kernel ends what is not to outlive its owner. */
  ownerEnded(): void {
    for (const vmm of this.alive) if (!vmm.detach) vmm.end({ signal: 'SIGKILL' })
  }

  /** Everything that runs is gone; files stay. */
  reboot(): void {
    for (const vmm of this.alive) vmm.end({ last: 'none' })
    this.#boots += 1
  }
}
