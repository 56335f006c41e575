import type { Exit } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { EventParser, type VmmEvent } from '../cloud-hypervisor/event-parser.ts'
import { Tail } from '../files/tail.ts'
import type { Incarnation } from './incarnation.ts'
import type { SerialWatch } from './serial-watch.ts'
import { pause } from './wait.ts'

type Change = 'vm/paused' | 'vm/resumed'

/** Names kept for the evidence of an ending. */
const keptNames = 12

/** How long a VM that was deleted from outside may outlive its VMM, in `ms`. */
const teardownMs = 1_000

/** How long it is tried to tell a power-off from the end of a VMM that does not answer, in `ms`. */
const doubtMs = 5_000

/**
 * Turns the event monitor's file into facts, each with the offset through which the file was read. It is read from its
 * start, for the evidence of an ending; what ends before the recorded offset has been told.
 */
export class EventWatch {
  readonly #box: Incarnation
  readonly #serial: SerialWatch
  readonly #isDead: () => boolean
  readonly #tail: Tail
  readonly #parser = new EventParser()
  readonly #from: number
  readonly #waiting = new Map<Change, Set<() => void>>()
  readonly #swallow = new Map<Change, number>()
  #names: string[] = []
  #queue: VmmEvent[] = []
  #bootedTold: boolean
  #booting = false
  #booted = false
  #last: Exit['last'] = 'none'
  #boot: Promise<boolean> = Promise.resolve(true)
  #reading: Promise<void> | undefined

  constructor(box: Incarnation, serial: SerialWatch, isDead: () => boolean) {
    this.#box = box
    this.#serial = serial
    this.#isDead = isDead
    this.#tail = new Tail(box.files.events)
    this.#from = box.context.eventOffset
    this.#bootedTold = box.context.startedAt !== null
  }

  /** What the file holds for the evidence of an ending. */
  get last(): Exit['last'] {
    // The last events may be missing from the file: the answer to the boot counts as well.
    return this.#last === 'booting' && this.#bootedTold ? 'none' : this.#last
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** A boot was begun; it may have failed. */
  get sawBooting(): boolean {
    return this.#booting
  }

  get sawBooted(): boolean {
    return this.#booted
  }

  /** Tells all that is in the file by now. */
  async read(): Promise<void> {
    while (this.#reading) await this.#reading
    this.#reading = this.#readOn().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  /** Until the boot is answered, what the file says of it is not told: a VMM that ends before has not booted. */
  async duringBoot(call: Promise<void>): Promise<void> {
    this.#boot = call.then(
      () => true,
      (error: unknown) => !(error instanceof ApiError && error.kind === 'cut'),
    )
    await call
  }

  /** Tells once that the VM has booted, whether the file or the answer says so first. */
  async tellBooted(offset?: number): Promise<void> {
    if (this.#bootedTold) return
    this.#bootedTold = true
    await this.#box.tell({ type: 'vm.booted', ...(offset === undefined ? {} : { offset }) })
    await this.#serial.booted()
  }

  /**
   * Sees to it that a change made by an own call is told once: from the file with its offset, where it is written
   * right after, else by the word of the VMM alone.
   */
  async tellChange(change: Change, signal: AbortSignal, call: () => Promise<void>): Promise<void> {
    let told = false
    const waiting = this.#waiting.get(change) ?? new Set()
    const note = () => {
      told = true
    }
    this.#waiting.set(change, waiting.add(note))
    try {
      await call()
      for (let ms = 1; !told && ms < 250 && !signal.aborted; ms *= 2) {
        await this.read()
        if (!told) await pause(ms, signal)
      }
    } finally {
      waiting.delete(note)
    }
    if (told || signal.aborted) return
    this.#swallow.set(change, (this.#swallow.get(change) ?? 0) + 1)
    await this.#box.tell({ type: change === 'vm/paused' ? 'vm.paused' : 'vm.resumed' })
  }

  async #readOn(): Promise<void> {
    for await (const { bytes } of this.#tail.read()) this.#queue.push(...this.#parser.push(bytes))
    while (this.#queue.length > 0 && !this.#box.closed.aborted) {
      const event = this.#queue.shift() as VmmEvent
      await this.#see(event)
    }
  }

  async #see({ name, end }: VmmEvent): Promise<void> {
    this.#names = [...this.#names, name].slice(-keptNames)
    const wasBooted = this.#booted || this.#bootedTold
    this.#note(name)
    if (end <= this.#from) return
    switch (name) {
      case 'vm/booted':
        if (await this.#boot) await this.tellBooted(end)
        return
      case 'vm/rebooted':
        await this.#serial.rebooted()
        return await this.#box.tell({ type: 'guest.rebooted', count: 1, offset: end })
      case 'guest/panic':
        return await this.#box.tell({ type: 'guest.panicked', offset: end })
      case 'vm/paused':
      case 'vm/resumed':
        return await this.#seeChange(name, end)
      case 'vm/shutdown':
        if (wasBooted && (await this.#isPowerOff())) {
          await this.#serial.read()
          await this.#box.tell({ type: 'guest.powered-off', offset: end })
        }
    }
  }

  #note(name: string): void {
    if (name === 'vm/booting') {
      this.#booting = true
      this.#last = 'booting'
    } else if (name === 'vm/booted' || name === 'vm/rebooted') {
      this.#booted = true
      this.#last = 'none'
    } else if (name === 'vm/rebooting') this.#last = 'rebooting'
    else if (name === 'vmm/shutdown' || (name === 'vm/shutdown' && this.#booted)) this.#last = 'orderly'
  }

  async #seeChange(change: Change, end: number): Promise<void> {
    const swallow = this.#swallow.get(change) ?? 0
    if (swallow > 0) {
      this.#swallow.set(change, swallow - 1)
      return
    }
    await this.#box.tell({ type: change === 'vm/paused' ? 'vm.paused' : 'vm.resumed', offset: end })
    for (const note of this.#waiting.get(change) ?? []) note()
  }

  /**
   * Tells the guest's power-off from the VMM's own end, which begins with the same event. The answer to vm.info is a
   * barrier: it comes after all that the VMM was doing. A power-off leaves the VM created and the VMM alive.
   */
  async #isPowerOff(): Promise<boolean> {
    const { cutOff, quirks, closed, client, child, context } = this.#box
    // Before v52 a power-off ends the VMM, and that tells.
    if (cutOff || context.seen.poweredOff || !quirks.noShutdown) return false
    const began = performance.now()
    while (!closed.aborted) {
      const waited = performance.now() - began
      if (this.#queue.some(({ name }) => name === 'vm/deleted' || name === 'vmm/shutdown')) return false
      if (this.#isDead()) {
        // It was ended in an orderly way and its last words are lost, or it ended some time after the power-off.
        return child === undefined || (await child.ended).exitCode !== 0
      }
      if (waited > doubtMs) return true
      try {
        const info = await client.info({ signal: closed, limitMs: 2_000 })
        if (this.#box.cutOff) return false
        if (info) return info.vm === 'created'
        if (waited > teardownMs) return true // deleted by somebody else, and the VMM stays: off it is
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
      }
      await pause(20, closed)
      for await (const { bytes } of this.#tail.read()) this.#queue.push(...this.#parser.push(bytes))
    }
    return false
  }
}
