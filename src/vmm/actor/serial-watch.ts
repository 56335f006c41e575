import { type ReadySpec, readyOf } from '../../machines/index.ts'
import { forgetCuts } from '../files/growing.ts'
import { LineScanner } from '../files/line-scanner.ts'
import { Tail } from '../files/tail.ts'
import type { Incarnation } from './incarnation.ts'

const readyLine = /boxledger: ready\s*$/
const exitLine = /boxledger: command exited (\d{1,3})\s*$/

/** Undefined if it is no regular expression, which ends a start before there is anything to watch. */
export function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern)
  } catch {
    return undefined
  }
}

/**
 * Watches what the guest prints for what it tells us: that it is ready, and how its main command ended. The file is
 * begun anew at each boot and reboot. A box that has nothing to tell is not read.
 */
export class SerialWatch {
  readonly #box: Incarnation
  readonly #tail: Tail
  readonly #lines = new LineScanner()
  readonly #ready: ReadySpec
  readonly #pattern: RegExp | undefined
  #booted: boolean
  #readyTold: boolean
  #commandExit: number | undefined
  #reading: Promise<void> | undefined

  constructor(box: Incarnation) {
    const { spec, seen, startedAt } = box.context
    this.#booted = startedAt !== null
    this.#box = box
    this.#tail = new Tail(box.files.serial)
    this.#ready = readyOf(spec)
    this.#pattern = typeof this.#ready === 'object' ? compile(this.#ready.console) : undefined
    this.#readyTold = seen.ready
    this.#commandExit = seen.commandExit ?? undefined
  }

  get commandExit(): number | undefined {
    return this.#commandExit
  }

  /** Tells all that is in the file by now. */
  async read(): Promise<void> {
    // One reading at a time; whoever asks meanwhile wants what has come since.
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
    await this.read()
  }

  /** The guest boots again: the file is a new one, and it will be ready again. */
  async rebooted(): Promise<void> {
    await forgetCuts(this.#box.files.serial).catch(() => {}) // a stale cut shortens a console, no more
    this.#readyTold = false
    this.#tail.rewind()
    this.#lines.reset()
  }

  #isWanted(): boolean {
    if (!this.#booted) return false
    if (this.#box.context.spec.command && this.#commandExit === undefined) return true
    return !this.#readyTold
  }

  async #readOn(): Promise<void> {
    for await (const { bytes, restarted } of this.#tail.read()) {
      if (this.#box.closed.aborted) return
      if (restarted) this.#lines.reset()
      const { ended, open } = this.#lines.push(bytes)
      for (const line of ended) await this.#see(line)
      if (open !== '' && this.#pattern) await this.#seeReady(open)
    }
  }

  async #see(line: string): Promise<void> {
    await this.#seeReady(line)
    const code = exitLine.exec(line)?.[1]
    if (code === undefined || this.#commandExit !== undefined) return
    this.#commandExit = Number(code)
    await this.#box.tell({ type: 'command.exited', exitCode: this.#commandExit })
  }

  async #seeReady(line: string): Promise<void> {
    if (this.#readyTold || !(this.#pattern ?? readyLine).test(line)) return
    this.#readyTold = true
    await this.#box.tell({ type: 'guest.ready' })
  }
}
