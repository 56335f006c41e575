import {
  type Boundary,
  BoxError,
  type BoxFact,
  type BoxSpec,
  type Head,
  type HealthSpec,
  printable,
  publicStateOf,
} from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'
import { readSecrets, revealed, type VmmLooks } from '../vmm/index.ts'
import type { Channels } from './channels.ts'
import { pauseOn, within } from './time-limit.ts'
import type { Clock } from './world.ts'

export interface HealthWorld {
  readonly home: string
  readonly ledger: Ledger
  readonly channels: Channels
  readonly looks: VmmLooks
  readonly clock: Clock
  readonly boundary: Boundary
  readonly tell: (box: string, fact: BoxFact) => void
}

/** The checks of one run of a guest. */
interface Checking {
  readonly run: string
  readonly end: AbortController
}

/** What is recorded of why a check failed, in `characters`: some of it may be the guest's own words. */
const longestReason = 300

/** How long a check that is killed may take to be gone, in `ms`. */
const goneMs = 3_000

/**
 * Asks boxes that run how they are, as their specs say, one question after the other. It tells what has changed, and
 * does nothing about it.
 */
export class HealthChecks {
  readonly #world: HealthWorld
  readonly #checking = new Map<string, Checking>()
  #isClosed = false

  constructor(world: HealthWorld) {
    this.#world = world
  }

  /** Begins where a box runs, and ends where it does not, or runs anew. */
  follow({ box, state: { context, value } }: Head): void {
    const { spec, incarnation, reboots } = context
    if (spec.health === undefined) return
    const run = `${incarnation}/${reboots.count}`
    const isRunning = publicStateOf(value) === 'running' && !this.#isClosed
    const known = this.#checking.get(box)
    if (isRunning && known?.run === run) return
    known?.end.abort()
    this.#checking.delete(box)
    if (!isRunning) return
    const checking = { run, end: new AbortController() }
    this.#checking.set(box, checking)
    void this.#check(box, spec.health, checking.end.signal)
  }

  close(): void {
    this.#isClosed = true
    for (const { end } of this.#checking.values()) end.abort()
    this.#checking.clear()
  }

  async #check(box: string, health: HealthSpec, over: AbortSignal): Promise<void> {
    const { ledger, clock } = this.#world
    const graceEnd = clock.monotonic() + this.#graceOf(box, health)
    // A command that owns the home for a moment asks nothing that it would not wait for.
    const isKnown = (ledger.head(box)?.state.context.seen.health ?? null) !== null
    if (isKnown) await pauseOn(clock, health.intervalMs, over)
    for (let failures = 0; !over.aborted; await pauseOn(clock, health.intervalMs, over)) {
      const problem = await this.#ask(box, health, over)
      const head = ledger.head(box)
      if (over.aborted || head === undefined) return
      if (problem === undefined) failures = 0
      else if (clock.monotonic() >= graceEnd) failures += 1
      if (problem === undefined) this.#tell(head, 'healthy')
      else if (failures >= health.retries) this.#tell(head, 'unhealthy', problem)
    }
  }

  /** What is left of the time in which a guest may still be on its way, in `ms`, whatever the clock was set to. */
  #graceOf(box: string, { startPeriodMs }: HealthSpec): number {
    const context = this.#world.ledger.head(box)?.state.context
    const since = context?.seen.readyAt ?? context?.startedAt ?? 0
    return Math.max(0, Math.min(startPeriodMs, since + startPeriodMs - this.#world.clock.now()))
  }

  #tell({ box, state: { context } }: Head, health: 'healthy' | 'unhealthy', reason?: string): void {
    if (context.seen.health === health) return
    this.#world.tell(box, {
      type: 'health.changed',
      incarnation: context.incarnation,
      health,
      ...(reason === undefined ? {} : { reason }),
    })
  }

  /** What is wrong; undefined: nothing. */
  async #ask(
    box: string,
    { command, timeoutMs }: HealthSpec,
    over: AbortSignal,
  ): Promise<string | undefined> {
    const { clock, boundary } = this.#world
    const end = new AbortController()
    const stop = () => end.abort()
    over.addEventListener('abort', stop, { once: true })
    boundary('before checking a box')
    try {
      return await within(clock, timeoutMs, async late => {
        late.addEventListener('abort', stop, { once: true })
        const { signal } = end
        const asked = command === 'ping' ? this.#ping(box, signal) : this.#run(box, command, signal)
        asked.catch(() => {}) // nobody waits for what comes late
        return await Promise.race([asked, whenAborted(signal, `no answer within ${timeoutMs} ms`)])
      })
    } catch (error) {
      const { message } = error as Error
      return printable((BoxError.is(error) ? `${error.code}: ${message}` : message).slice(0, longestReason))
    } finally {
      over.removeEventListener('abort', stop)
      boundary('after checking a box')
    }
  }

  async #ping(box: string, signal: AbortSignal): Promise<undefined> {
    const { home, ledger, looks } = this.#world
    const context = ledger.head(box)?.state.context
    if (!context?.process) throw new Error('its process is not known')
    const { incarnation, process } = context
    await looks.ping({ home, box, incarnation, process }, signal)
  }

  async #run(box: string, args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const { home, ledger, channels, clock } = this.#world
    const head = ledger.head(box)
    if (head === undefined) throw new Error('it is removed')
    const { spec } = head.state.context
    const env = await this.#envOf(home, box, spec)
    const channel = await channels.of(head)
    if (signal.aborted) return undefined
    const program = channel.run({ args, env, workdir: spec.workdir ?? '/', user: spec.user ?? '' })
    program.stdin.end()
    program.stdout.discard()
    program.stderr.discard()
    let gone: unknown
    const kill = () => {
      program.destroy()
      gone = clock.setTimeout(() => channel.abandon(program), goneMs)
    }
    signal.addEventListener('abort', kill, { once: true })
    try {
      const { exitCode } = await program.ended
      return exitCode === 0 ? undefined : `exit code ${exitCode}`
    } finally {
      signal.removeEventListener('abort', kill)
      clock.clearTimeout(gone)
    }
  }

  async #envOf(home: string, box: string, { env = {} }: BoxSpec): Promise<Record<string, string>> {
    return revealed(env, await readSecrets(home, box), name => new Error(`there is no secret ${name}`))
  }
}

function whenAborted(signal: AbortSignal, message: string): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(message)), { once: true })
  })
}
