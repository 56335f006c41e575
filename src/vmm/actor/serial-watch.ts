import { type ReadySpec, readyOf } from '../../machines/index.ts'
import { forgetCuts } from '../files/growing.ts'
import { LineScanner } from '../files/line-scanner.ts'
import { type Piece, Tail } from '../files/tail.ts'
import { AgentWatch, isAgentAsked } from './agent-watch.ts'
import type { Incarnation } from './incarnation.ts'
import { type ReadyPattern, readyPattern } from './ready-pattern.ts'

const readyLine = /boxledger: ready\s*$/
const exitLine = /boxledger: command exited (\d{1,3})\s*$/

/** What is read of the output at once, in `bytes`: of what a guest prints faster than that, the end. */
const mostBytes = 1 << 20

/**
 * Watches what the guest prints for what it tells us: that it is ready, where no agent does, and how its main command ended. The file is
 * begun anew at each boot and reboot. A box that has nothing to tell is not read.
 */
export class SerialWatch {
  readonly #box: Incarnation
  readonly #tail: Tail
  readonly #lines = new LineScanner()
  readonly #agent: AgentWatch
  readonly #ready: ReadySpec
  readonly #pattern: ReadyPattern | undefined
  #booted: boolean
  #readyTold: boolean
  #commandExit: number | undefined
  #reading: Promise<void> | undefined

  constructor(box: Incarnation) {
    const { spec, seen, startedAt } = box.context
    this.#booted = startedAt !== null
    this.#box = box
    this.#tail = new Tail(box.files.serial, { most: mostBytes })
    this.#ready = readyOf(spec)
    this.#pattern = typeof this.#ready === 'object' ? readyPattern(this.#ready.console) : undefined
    this.#agent = new AgentWatch(box)
    this.#readyTold = seen.ready || isAgentAsked(spec)
    this.#commandExit = seen.commandExit ?? undefined
  }

  /** How far the file is read, in `bytes`. */
  get at(): number {
    return this.#tail.at
  }

  get commandExit(): number | undefined {
    return this.#commandExit
  }

  /** Tells all that is in the file by now. */
  async read(): Promise<void> {
    // One reading at a time; whoever asks meanwhile wants what has come since.
    if (this.#booted) this.#agent.booted()
    while (this.#reading) await this.#reading
    if (!this.#isWanted()) return
    this.#reading = this.#readOn().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  /** The boot is told: what the guest says comes after it, however early it was said. */
  async booted(): Promise<void> {
    this.#booted = true
    this.#agent.booted()
    await this.read()
  }

  /** The guest boots again: the file is a new one, and it will be ready again. */
  async rebooted(): Promise<void> {
    const forgotten = forgetCuts(this.#box.files.serial, point => this.#box.boundary(point))
    await forgotten.catch(() => {}) // a stale cut shortens a console, no more
    this.#readyTold = isAgentAsked(this.#box.context.spec)
    this.#agent.rebooted()
    this.#tail.rewind()
    this.#lines.reset()
  }

  #isWanted(): boolean {
    if (!this.#booted) return false
    if (this.#box.context.spec.command && this.#commandExit === undefined) return true
    return !this.#readyTold
  }

  async #readOn(): Promise<void> {
    for await (const { bytes, restarted, missed } of this.#pieces()) {
      if (this.#box.closed.aborted) return
      if (restarted || missed > 0) this.#lines.reset()
      const { ended, open } = this.#lines.push(bytes)
      await this.#seeReady(ended, open)
      await this.#seeExit(ended)
    }
  }

  /** A file that cannot be read says nothing. */
  async *#pieces(): AsyncGenerator<Piece, void, undefined> {
    try {
      yield* this.#tail.read()
    } catch {
      // The next look tries again.
    }
  }

  async #seeReady(ended: readonly string[], open: string): Promise<void> {
    if (this.#readyTold) return
    const isReady = this.#pattern
      ? this.#pattern.matches(open === '' ? ended : [...ended, open])
      : ended.some(line => readyLine.test(line))
    if (!isReady) return
    this.#readyTold = true
    await this.#box.tell({ type: 'guest.ready' })
  }

  async #seeExit(ended: readonly string[]): Promise<void> {
    if (this.#commandExit !== undefined) return
    const line = ended.find(line => exitLine.test(line))
    if (line === undefined) return
    this.#commandExit = Number(exitLine.exec(line)?.[1])
    await this.#box.tell({ type: 'command.exited', exitCode: this.#commandExit })
  }
}
