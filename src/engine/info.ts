import {
  type BoxSpec,
  type BoxTag,
  type EndingCause,
  type Head,
  type HealthState,
  type PublicState,
  publicStateOf,
  stageOf,
} from '../machines/index.ts'

/** A box as users see it; made from its head when asked for. */
export interface BoxInfo {
  readonly id: string
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: PublicState
  /** how far a start is */
  readonly stage?: string
  /** the host is being asked what became of it */
  readonly recovering: boolean
  readonly guestReady: boolean
  /** of one that is up or on its way, and is asked */
  readonly health?: HealthState
  /** the VMM's own */
  readonly pid?: number
  /** number of its last VMM; 0: none yet */
  readonly incarnation: number
  /** number of its last record, within the box */
  readonly version: number
  /** position of its last record, in the ledger */
  readonly position: number
  /** ISO time, as all times here */
  readonly createdAt: string
  readonly updatedAt: string
  readonly startedAt?: string
  /** of the last incarnation; cleared by the next start */
  readonly ending?: BoxEnding
  /** starts that the restart policy made */
  readonly restarts: number
  /** when the restart policy will start it again */
  readonly restartAt?: string
  readonly reboots: number
  /** commands that were run in it, over its life; the main command is none of them */
  readonly executions: number
  readonly responding: boolean
  /** why it cannot be looked at */
  readonly reason?: string
  /** its records are damaged: it is listed, and takes no commands */
  readonly parked?: { readonly position?: number; readonly reason: string }
  /** the home is a copy, and not adopted: this is how the box was in the home that it was copied from */
  readonly inert?: true
  readonly autoRemove: boolean
  readonly detach: boolean
  readonly spec: BoxSpec
}

export interface BoxEnding {
  readonly cause: EndingCause
  /** the main command's */
  readonly exitCode?: number
  readonly vmm?: { readonly exitCode?: number; readonly signal?: string }
  readonly at: string
  /** code of what went wrong with a start */
  readonly code?: string
  readonly message?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly logTail?: string
}

const tags: Readonly<Record<PublicState, BoxTag>> = {
  configured: 'down',
  starting: 'busy',
  running: 'up',
  paused: 'up',
  stopping: 'busy',
  stopped: 'down',
  crashed: 'down',
  failed: 'down',
  removing: 'busy',
  removed: 'gone',
  unknown: 'busy',
}

/** A box that its restart policy will start again is not `down`. */
export function tagOf({ state, restartAt }: Pick<BoxInfo, 'state' | 'restartAt'>): BoxTag {
  return restartAt === undefined ? tags[state] : 'busy'
}

/** In `ms since 1970`; while the wait is being drawn, the time of the ending. */
function restartAtOf({ state: { context, timers } }: Pick<Head, 'state'>): number | undefined {
  if (!context.restart.due) return undefined
  const [timer] = Object.values(timers)
  return timer?.dueAt ?? context.ending?.at
}

const iso = (ms: number) => new Date(ms).toISOString()

/** What the engine knows of a box beside its records. */
export interface Beside {
  readonly recovering: boolean
  readonly responding: boolean
  /** how many it has had */
  readonly executions: number
}

export function infoOf(
  head: Omit<Head, 'bodyHash'>,
  { recovering = false, responding = true, executions = 0 }: Partial<Beside> = {},
): BoxInfo {
  const { context, value } = head.state
  const stage = stageOf(value)
  const restartAt = restartAtOf(head)
  return {
    id: head.box,
    ...(context.name === null ? {} : { name: context.name }),
    labels: context.labels,
    state: publicStateOf(value),
    ...(stage === undefined ? {} : { stage }),
    recovering,
    guestReady: context.open && context.seen.ready,
    ...(context.open && context.spec.health ? { health: context.seen.health ?? 'starting' } : {}),
    ...(context.process === null ? {} : { pid: context.process.pid }),
    incarnation: context.incarnation,
    version: head.version,
    position: head.position,
    createdAt: iso(context.createdAt),
    updatedAt: iso(head.updatedAt),
    ...(context.startedAt === null ? {} : { startedAt: iso(context.startedAt) }),
    ...(context.ending === null ? {} : { ending: { ...context.ending, at: iso(context.ending.at) } }),
    restarts: context.restart.count,
    ...(restartAt === undefined ? {} : { restartAt: iso(restartAt) }),
    reboots: context.reboots.count,
    executions: head.executions ?? executions,
    responding,
    ...(context.unknownReason === null ? {} : { reason: context.unknownReason }),
    autoRemove: context.spec.autoRemove,
    detach: context.spec.detach,
    spec: context.spec,
  }
}

/** A box of which nothing but its ID can be read. */
export function infoOfParked(id: string, parked: NonNullable<BoxInfo['parked']>): BoxInfo {
  return {
    id,
    labels: {},
    state: 'unknown',
    recovering: false,
    guestReady: false,
    incarnation: 0,
    version: 0,
    position: 0,
    createdAt: iso(0),
    updatedAt: iso(0),
    restarts: 0,
    reboots: 0,
    executions: 0,
    responding: false,
    reason: 'its records are damaged',
    parked,
    autoRemove: false,
    detach: true,
    spec: unread,
  }
}

const unread: BoxSpec = {
  cpus: 0,
  memoryMib: 0,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 0,
}
