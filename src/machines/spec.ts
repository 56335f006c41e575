/** What was asked for, normalised: plain JSON, defaults filled in, never changed after `box.created`. */
export interface BoxSpec {
  /** name known to `images`, or files; absent: the built-in guest */
  readonly image?: string | ImageSpec
  /** whether the image of that name had an agent in its guest when the box was made; absent: as the built-in one */
  readonly agent?: boolean
  /** main command, run by the guest's init; the box ends with it */
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, EnvValue>>
  readonly workdir?: string
  readonly user?: string
  /** virtual CPUs, 1 to 256 */
  readonly cpus: number
  /** memory in `MiB`, 64 to 1,048,576 */
  readonly memoryMib: number
  readonly disks?: readonly DiskSpec[]
  readonly autoRemove: boolean
  readonly detach: boolean
  readonly restart: RestartSpec
  /** when a start is over; absent: the best the image has */
  readonly ready?: ReadySpec
  /** time for the guest to power off before its power is cut, in `ms` */
  readonly stopTimeoutMs: number
  /** how it is asked whether it is well; absent: it is not */
  readonly health?: HealthSpec
}

/** Questions to a box that runs, one after the other. */
export interface HealthSpec {
  /** program and arguments, run in the guest, well if it ends with 0; or a question to the VMM */
  readonly command: readonly string[] | 'ping'
  /** between one question and the next, in `ms` */
  readonly intervalMs: number
  /** for an answer, in `ms` */
  readonly timeoutMs: number
  /** failures in a row that make it unhealthy */
  readonly retries: number
  /** from when it is up, in which failures do not count, in `ms` */
  readonly startPeriodMs: number
}

export const defaultHealth: Omit<HealthSpec, 'command'> = {
  intervalMs: 30_000,
  timeoutMs: 10_000,
  retries: 3,
  startPeriodMs: 0,
}

/** What is known of how it is; `starting`: nothing yet. */
export type HealthState = 'starting' | 'healthy' | 'unhealthy'

/** A value of a variable, or the name of a secret, whose value the ledger does not have. */
export type EnvValue = string | { readonly secret: string }

export interface ImageSpec {
  /** path of an uncompressed kernel or a PVH program */
  readonly kernel: string
  readonly initramfs?: string
  readonly cmdline?: string
  readonly disks?: readonly DiskSpec[]
  /** boxledger's agent runs in the guest: there is `exec`, and files go in and out. Default false */
  readonly agent?: boolean
}

export interface DiskSpec {
  readonly path: string
  readonly format?: 'raw' | 'qcow2'
  readonly readonly?: boolean
}

export interface RestartSpec {
  readonly policy: 'no' | 'on-failure' | 'always' | 'unless-stopped'
  /** starts again in a row; absent: no limit */
  readonly maxRetries?: number
  /** absent: {@link defaultBackoff} */
  readonly backoff?: Backoff
}

export interface Backoff {
  /** before the first start again, in `ms` */
  readonly initialMs: number
  /** by which each wait is longer than the one before */
  readonly factor: number
  readonly maxMs: number
  /** part of the wait by which it varies, 0 to 1 */
  readonly jitter: number
  /** a run of this length, in `ms`, makes the next start again the first */
  readonly resetAfterMs: number
}

export const defaultBackoff: Backoff = {
  initialMs: 100,
  factor: 2,
  maxMs: 30_000,
  jitter: 0.2,
  resetAfterMs: 10_000,
}

/** `guest`: its agent answers, or the guest said so on the console where it has none; `vmm`: booted is enough; `console`: a regular expression on the serial output. */
export type ReadySpec = 'guest' | 'vmm' | { readonly console: string }

export type StopMode = 'graceful' | 'force' | 'kill'

/** When a start is over: what was asked for, else the best the image has. */
export function readyOf(spec: BoxSpec): ReadySpec {
  const { ready, image, agent } = spec
  const isSilent = typeof image === 'object' ? image.agent !== true : agent === false
  return ready ?? (isSilent ? 'vmm' : 'guest')
}
