import { connect, type Socket } from 'node:net'
import { DirWatch } from '../files/dir-watch.ts'
import { cutLongFiles, type Growing, growingFiles } from '../files/growing.ts'
import { EventWatch } from './event-watch.ts'
import { exitEvidence, neverSpawned } from './exit-evidence.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Incarnation } from './incarnation.ts'
import { lookAtLife, settleLife } from './life.ts'
import { SerialWatch } from './serial-watch.ts'
import { pause, within } from './wait.ts'

/** The net under the notices of death, in `ms`. */
const pollMs = 2_000

/** Time between two readings of files that change all the time, in `ms`; longer if there was much to read. */
const restMs = 10
const longRestMs = 100
const muchBytes = 64 << 10

/** How often the sizes of files that change are looked at, in `ms`. */
const sizeMs = 100

/** How long the telling of a death waits for the answer of a rung that caused it, in `ms`. */
const rungMs = 1_000

/**
 * Watches a VMM's process and files from when it is spawned or found, until it is dead. It reads and tells; it never
 * touches the VMM.
 */
export class Watch {
  readonly events: EventWatch
  readonly serial: SerialWatch
  readonly heartbeat: Heartbeat
  readonly #box: Incarnation
  #files: DirWatch | undefined
  #poll: NodeJS.Timeout | undefined
  #connection: Socket | undefined
  #rung: Promise<unknown> | undefined
  readonly #growing: readonly Growing[]
  readonly #onLost: () => void
  #sizesAt = 0
  #isCutting = false
  #isDead = false
  #ending: Promise<void> | undefined

  /** @param onLost told when something that the VMM has said may have been lost */
  constructor(box: Incarnation, onLost: () => void) {
    this.#box = box
    this.#growing = growingFiles(box.files)
    this.#onLost = onLost
    this.heartbeat = new Heartbeat(box)
    this.serial = new SerialWatch(box)
    this.events = new EventWatch(box, this.serial, () => this.#looksDead(), onLost)
    box.closed.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** Begins to watch the process. */
  watchProcess(): void {
    if (this.#poll || this.#box.closed.aborted) return
    this.#poll = setInterval(() => {
      this.#suspect()
      void this.#cutLongFiles()
    }, pollMs)
    this.#poll.unref()
    void this.#box.child?.ended.then(() => this.#suspect())
  }

  /** Begins to tell what the files say; resolves when all that was missed is told. */
  async watchFiles(): Promise<void> {
    await this.#readFiles()
    if (this.#files || this.#box.closed.aborted) return
    let again = false
    let reading = false
    const onChange = async () => {
      again = true
      if (reading) return
      reading = true
      while (again && !this.#box.closed.aborted) {
        again = false
        const before = this.events.at + this.serial.at
        await this.#readFiles().catch(() => {}) // Closed
        if (performance.now() - this.#sizesAt > sizeMs) await this.#cutLongFiles()
        const much = this.events.at + this.serial.at - before > muchBytes
        await pause(much ? longRestMs : restMs, this.#box.closed, { ref: false })
      }
      reading = false
    }
    this.#files = new DirWatch(this.#box.files.dir, () => void onChange())
    this.heartbeat.begin()
  }

  /** Keeps one idle connection: the kernel closes it when the VMM ends. False if none can be had now. */
  connect(): Promise<boolean> {
    if (this.#connection) return Promise.resolve(true)
    return new Promise(resolve => {
      const socket = connect(this.#box.files.socket)
      socket.unref()
      socket.once('connect', () => {
        this.#connection = socket
        if (this.#box.closed.aborted) socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false)) // ENOENT, ECONNREFUSED: nobody listens (any more); close follows
      socket.once('close', () => {
        const wasOpen = this.#connection === socket
        this.#connection = undefined
        if (wasOpen) this.#suspect()
      })
      socket.resume()
    })
  }

  /** While a rung of the stop ladder waits for its answer, the death that it causes is not told before it. */
  async duringRung(rung: Promise<void>): Promise<void> {
    this.#rung = rung.catch(() => {})
    await rung
  }

  /** Tells the ending if the process has ended; true if so. */
  async tellIfDead(signal: AbortSignal): Promise<boolean> {
    const life = await settleLife(this.#box, signal)
    if (life !== 'dead' && life !== 'unmade') return false
    await this.end(life)
    return true
  }

  /** Tells the ending, once; the rest of the files first. */
  end(life: 'dead' | 'unmade'): Promise<void> {
    this.#isDead = true
    this.#ending ??= this.#tellEnding(life)
    return this.#ending
  }

  async #tellEnding(life: 'dead' | 'unmade'): Promise<void> {
    if (this.#rung) await within(this.#rung, rungMs)
    if (life === 'dead') {
      await this.events.readToEnd()
      await this.serial.read()
    }
    const exit = life === 'dead' ? await exitEvidence(this.#box, this.events, this.serial) : neverSpawned
    await this.#box.tell({ type: 'vmm.exited', ...exit })
    this.#stop()
  }

  async #readFiles(): Promise<void> {
    await this.events.read()
    await this.serial.read()
  }

  /** Reads first what would be lost. One at a time: two would forget each other's cuts. */
  async #cutLongFiles(): Promise<void> {
    if (this.#isCutting) return
    this.#isCutting = true
    this.#sizesAt = performance.now()
    await this.#readFiles().catch(() => {}) // Closed
    const cut = await cutLongFiles(this.#growing, point => this.#box.boundary(point)).catch(
      () => new Map<string, number>(),
    ) // tried again at the next poll
    this.#isCutting = false
    if ((cut.get(this.#box.files.events) ?? 0) > this.events.at) this.#onLost()
  }

  #looksDead(): boolean {
    if (this.#isDead) return true
    try {
      return lookAtLife(this.#box) === 'dead'
    } catch {
      return false // cannot look: not known to be dead
    }
  }

  #suspect(): void {
    if (this.#ending || this.#box.closed.aborted) return
    this.tellIfDead(this.#box.closed).catch(() => {
      this.#ending = undefined // Closed; or it could not be told just now, and the poll tries again
    })
  }

  #stop(): void {
    clearInterval(this.#poll)
    this.heartbeat.end()
    this.#files?.close()
    this.#connection?.destroy()
  }
}
