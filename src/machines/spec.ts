/** What was asked for, normalised: plain JSON, defaults filled in, never changed after `box.created`. */
export interface BoxSpec {
  /** name known to `images`, or files; absent: the built-in guest */
  readonly image?: string | ImageSpec
  /** main command, run by the guest's init; the box ends with it */
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
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
}

export interface ImageSpec {
  /** path of an uncompressed kernel or a PVH program */
  readonly kernel: string
  readonly initramfs?: string
  readonly cmdline?: string
  readonly disks?: readonly DiskSpec[]
}

export interface DiskSpec {
  readonly path: string
  readonly format?: 'raw' | 'qcow2'
  readonly readonly?: boolean
}

export interface RestartSpec {
  readonly policy: 'no'
}

/** `guest`: the guest said so; `vmm`: booted is enough; `console`: a regular expression on the serial output. */
export type ReadySpec = 'guest' | 'vmm' | { readonly console: string }

export type StopMode = 'graceful' | 'force' | 'kill'

/** When a start is over: what was asked for, else the best the image has. */
export function readyOf(spec: BoxSpec): ReadySpec {
  return spec.ready ?? (typeof spec.image === 'object' ? 'vmm' : 'guest')
}
