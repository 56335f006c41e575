import type { Exit } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { EventParser, type VmmEvent } from '../cloud-hypervisor/event-parser.ts'
import { eventHead, longestBytes } from '../files/growing.ts'
import { type Piece, Tail } from '../files/tail.ts'
import { EventFlow, type Happened } from './event-flow.ts'
import type { Fact, Incarnation } from './incarnation.ts'
import type { SerialWatch } from './serial-watch.ts'
import { pause } from './wait.ts'

type Change = 'vm/paused' | 'vm/resumed'

/** Names kept for the evidence of an ending. */
const keptNames = 12

/** How long a VM that was deleted from outside may outlive its VMM, in `ms`. */
const teardownMs = 1_000

/** What is read of the file at first, and at once later on, in `bytes`: some thousand events, or it is a flood. */
const firstBytes = 2 * longestBytes
const mostBytes = 256 << 10

/** Events that are read ahead while one is not understood yet. */
const mostAhead = 10_000

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
  readonly #onLost: () => void
  readonly #tail: Tail
  readonly #parser = new EventParser()
  readonly #flow = new EventFlow((happened, isLast) => this.#tell(happened, isLast))
  /** end of the last event that is told, or need not be */
  #told: number
  /** the VM is taken down from outside, or the VMM ends: end of the last event that says so */
  #goneAt = 0
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
  #hasRead = false

  /** @param onLost told when events may have been lost: too many came, or the file was cut */
  constructor(box: Incarnation, serial: SerialWatch, isDead: () => boolean, onLost: () => void) {
    this.#box = box
    this.#serial = serial
    this.#isDead = isDead
    this.#onLost = onLost
    this.#tail = new Tail(box.files.events, { head: eventHead })
    this.#told = box.context.eventOffset
    this.#bootedTold = box.context.startedAt !== null
    box.closed.addEventListener('abort', () => this.#flow.close(), { once: true })
  }

  /** How far the file is read, in `bytes`. */
  get at(): number {
    return this.#tail.at
  }

  /** The VM has booted, be it seen in the file or told before. */
  get hasBooted(): boolean {
    return this.#booted || this.#bootedTold
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
    const known = offset === undefined || this.#flow.isHolding ? {} : { offset }
    await this.#box.tell({ type: 'vm.booted', ...known })
    await this.#serial.booted()
  }

  /** The same of a VM that is made of a snapshot: only the answer says so. */
  async tellRestored(fact: Extract<Fact, { readonly type: 'snapshot.restored' }>): Promise<void> {
    this.#bootedTold = true
    await this.#box.tell(fact)
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

  /** Tells also what was held back, since nothing will come any more. */
  async readToEnd(): Promise<void> {
    await this.read()
    await this.#flow.flush()
  }

  async #readOn(): Promise<void> {
    const most = this.#hasRead ? mostBytes : firstBytes
    this.#hasRead = true
    for await (const piece of this.#pieces(most)) {
      this.#parse(piece)
      await this.#drain()
    }
    await this.#drain()
  }

  /** A file that cannot be read tells nothing; the VMM is asked then. */
  async *#pieces(most: number): AsyncGenerator<Piece, void, undefined> {
    try {
      yield* this.#tail.read({ most })
    } catch {
      this.#onLost()
    }
  }

  #parse({ bytes, at, missed, restarted }: Piece): void {
    if (missed > 0 || restarted) {
      this.#parser.skipTo(at)
      this.#onLost()
    }
    this.#queue.push(...this.#parser.push(bytes))
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#box.closed.aborted)
      await this.#see(this.#queue.shift() as VmmEvent)
  }

  async #see({ name, end }: VmmEvent): Promise<void> {
    this.#names = [...this.#names, name].slice(-keptNames)
    const wasBooted = this.hasBooted
    this.#note(name)
    if (name === 'vm/deleted' || name === 'vmm/shutdown') this.#goneAt = end
    if (end <= this.#told) return
    switch (name) {
      case 'vm/booted':
        if (await this.#boot) await this.tellBooted(end)
        return
      case 'vm/rebooted':
      case 'guest/panic':
        return await this.#flow.take(name, end, false)
      case 'vm/paused':
      case 'vm/resumed':
        if (this.#isSwallowed(name)) return
        return await this.#flow.take(name, end, (this.#waiting.get(name)?.size ?? 0) > 0)
      case 'vm/shutdown':
        if (wasBooted) await this.#flow.take(name, end, false)
    }
  }

  async #tell({ name, count, end }: Happened, isLast: boolean): Promise<void> {
    // Where something before it has yet to be told, the file must be read again from there after a crash.
    const offset = isLast ? { offset: end } : {}
    if (name === 'vm/rebooted') {
      await this.#serial.rebooted()
      await this.#box.tell({ type: 'guest.rebooted', count, ...offset })
    } else if (name === 'guest/panic') await this.#box.tell({ type: 'guest.panicked', ...offset })
    else if (name === 'vm/shutdown') {
      if (await this.#isPowerOff(end)) {
        await this.#serial.read()
        await this.#box.tell({ type: 'guest.powered-off', ...offset })
      }
    } else {
      await this.#box.tell({ type: name === 'vm/paused' ? 'vm.paused' : 'vm.resumed', ...offset })
      for (const note of this.#waiting.get(name) ?? []) note()
    }
    if (isLast) this.#told = Math.max(this.#told, end)
  }

  #note(name: string): void {
    if (name === 'vm/booting' || name === 'vm/restoring') {
      this.#booting = true
      this.#last = 'booting'
    } else if (name === 'vm/booted' || name === 'vm/restored' || name === 'vm/rebooted') {
      this.#booted = true
      this.#last = 'none'
    } else if (name === 'vm/rebooting') this.#last = 'rebooting'
    else if (name === 'vmm/shutdown' || (name === 'vm/shutdown' && this.#booted)) this.#last = 'orderly'
  }

  /** It was told by the word of the VMM. */
  #isSwallowed(change: Change): boolean {
    const swallow = this.#swallow.get(change) ?? 0
    if (swallow > 0) this.#swallow.set(change, swallow - 1)
    return swallow > 0
  }

  /**
   * Tells the guest's power-off from the VMM's own end, which begins with the same event. The answer to vm.info is a
   * barrier: it comes after all that the VMM was doing. A power-off leaves the VM created and the VMM alive.
   */
  async #isPowerOff(end: number): Promise<boolean> {
    const { cutOff, quirks, closed, client, child, context } = this.#box
    // Before v52 a power-off ends the VMM, and that tells.
    if (cutOff || context.seen.poweredOff || !quirks.noShutdown) return false
    const began = performance.now()
    while (!closed.aborted) {
      const waited = performance.now() - began
      if (this.#goneAt > end) return false
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
      if (this.#queue.length < mostAhead)
        for await (const piece of this.#pieces(mostBytes)) this.#parse(piece)
    }
    return false
  }
}
