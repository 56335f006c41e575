import { type Head, type ProcessIdentity, type PublicState, publicStateOf } from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'
import type { VmmLooks, VmmReading } from '../vmm/index.ts'
import { type StartTimes, StartTimesFold } from './start-times.ts'
import type { Clock } from './world.ts'

/** What a box has to tell in numbers. What nobody can know is absent: of a box that is down all but the ledger's. */
export interface BoxMetrics {
  /** ISO time at which its VMM was looked at, or now */
  readonly at: string
  readonly state: PublicState
  readonly incarnation: number
  /** commands that were run in it, over its life */
  readonly executions: number
  /** starts by its restart policy, over its life */
  readonly restarts: number
  /** of its guest, over its life */
  readonly reboots: number
  /** since its VM booted, in `ms` */
  readonly uptimeMs?: number
  /** the last start, from the ledger */
  readonly start?: StartTimes
  /** of the VMM's process, with those that it has started */
  readonly cpu?: {
    /** in `ms` */
    readonly timeMs: number
    /** how many processors were busy with it since the look before, and at the first since it was spawned; 1 is one whole */
    readonly use: number
  }
  readonly memory?: {
    /** of the same in the machine's memory, in `bytes`; what processes share counts for each */
    readonly residentBytes?: number
    /** what the guest has, in `bytes` */
    readonly guestBytes: number
  }
  /** what its disks have done since the VM was created, by the VMM's names of them */
  readonly disks?: VmmCounters['disks']
  /** its network, likewise; `rx` is what the guest received */
  readonly net?: VmmCounters['net']
}

type VmmCounters = NonNullable<VmmReading['counters']>

export interface BoxMetricsWorld {
  readonly home: string
  readonly ledger: Ledger
  readonly looks: VmmLooks
  readonly clock: Clock
}

/** At most one look at a VMM in so many `ms`: each goes through its main loop. */
const restMs = 1_000

interface Look {
  readonly incarnation: number
  /** in `ms since 1970` */
  readonly at: number
  /** the same by the clock that nobody sets */
  readonly since: number
  readonly reading: Promise<VmmReading & { readonly use?: number }>
}

/** What VMMs and the ledger tell of single boxes. */
export class BoxMetricsReader {
  readonly #world: BoxMetricsWorld
  readonly #looks = new Map<string, Look>()
  readonly #starts = new Map<
    string,
    { readonly incarnation: number; readonly times: StartTimes | undefined }
  >()

  constructor(world: BoxMetricsWorld) {
    this.#world = world
  }

  /** @param mayLook false: the box's VMM is none of this home's */
  async read(head: Head, executions: number, mayLook: boolean): Promise<BoxMetrics> {
    const { context, value } = head.state
    const look = mayLook && context.open && context.process ? this.#look(head, context.process) : undefined
    const { usage, use, guestBytes, counters } = (await look?.reading) ?? {}
    const start = await this.#startOf(head)
    const at = look?.at ?? this.#world.clock.now()
    const isUp = context.open && context.startedAt !== null
    return {
      at: new Date(at).toISOString(),
      state: publicStateOf(value),
      incarnation: context.incarnation,
      executions: head.executions ?? executions,
      restarts: context.restart.count,
      reboots: context.reboots.count,
      ...(isUp ? { uptimeMs: Math.max(0, at - (context.startedAt ?? at)) } : {}),
      ...(start === undefined ? {} : { start }),
      ...(usage === undefined ? {} : { cpu: { timeMs: usage.cpuMs, use: use ?? 0 } }),
      ...(look === undefined
        ? {}
        : {
            memory: {
              ...(usage === undefined ? {} : { residentBytes: usage.residentBytes }),
              guestBytes: guestBytes ?? context.spec.memoryMib * 1024 * 1024,
            },
          }),
      ...(counters === undefined ? {} : { disks: counters.disks, net: counters.net }),
    }
  }

  /** Nothing is kept of a box whose VMM is over. */
  follow({ box, state: { context, value } }: Head): void {
    if (!context.open) this.#looks.delete(box)
    if (publicStateOf(value) === 'removed') this.#starts.delete(box)
  }

  #look({ box, state: { context } }: Head, process: ProcessIdentity): Look {
    const { home, looks, clock } = this.#world
    const { incarnation } = context
    const known = this.#looks.get(box)
    const last = known?.incarnation === incarnation ? known : undefined
    const since = clock.monotonic()
    if (last !== undefined && since - last.since < restMs) return last
    const measured = looks.measure({ home, box, incarnation, process })
    const look: Look = { incarnation, at: clock.now(), since, reading: withUse(measured, since, last) }
    this.#looks.set(box, look)
    return look
  }

  /** Read once for each start that is over: a life may have many records. */
  async #startOf(head: Head): Promise<StartTimes | undefined> {
    const { incarnation } = head.state.context
    if (incarnation === 0) return undefined
    const known = this.#starts.get(head.box)
    if (known?.incarnation === incarnation) return known.times
    const fold = new StartTimesFold()
    for await (const record of this.#world.ledger.history(head.box)) fold.add(record)
    const state = publicStateOf(head.state.value)
    if (state !== 'starting' && state !== 'removed')
      this.#starts.set(head.box, { incarnation, times: fold.times })
    return fold.times
  }
}

async function withUse(measured: Promise<VmmReading>, since: number, last: Look | undefined) {
  const reading = await measured
  const { usage } = reading
  if (usage === undefined) return reading
  const before = (await last?.reading.catch(() => undefined))?.usage
  const [spentMs, overMs] =
    before === undefined || last === undefined
      ? [usage.cpuMs, usage.lifeMs]
      : [usage.cpuMs - before.cpuMs, since - last.since]
  return { ...reading, use: overMs > 0 ? Math.max(0, spentMs / overMs) : 0 }
}
