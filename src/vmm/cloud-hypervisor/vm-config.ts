import type { BoxSpec, DiskSpec } from '../../machines/index.ts'
import type { RunFiles } from '../files/paths.ts'
import type { Quirks } from './quirks.ts'

/** Each VM has its own vsock, so all may have the first number that is free for guests. */
const guestCid = 3

/** The part of cloud-hypervisor's VmConfig in use. Unknown fields are ignored there without a word. */
export interface VmConfig {
  readonly cpus: { readonly boot_vcpus: number; readonly max_vcpus: number }
  /** in `bytes` */
  readonly memory: { readonly size: number }
  readonly payload: { readonly kernel: string; readonly initramfs?: string; readonly cmdline: string }
  readonly disks?: readonly VmDisk[]
  readonly rng: { readonly src: string }
  readonly serial: { readonly mode: 'File'; readonly file: string }
  readonly console: { readonly mode: 'Off' } | { readonly mode: 'File'; readonly file: string }
  readonly pvpanic: boolean
  readonly vsock?: { readonly cid: number; readonly socket: string }
  readonly platform: { readonly uuid: string } | { readonly system_uuid: string }
  readonly landlock_enable: boolean
  /** what else the VMM may get at: where it writes a snapshot, and where it reads one */
  readonly landlock_rules: readonly { readonly path: string; readonly access: 'rw' }[]
}

export interface VmDisk {
  readonly path: string
  readonly readonly: boolean
  /** Left out, it is guessed, and writes to sector 0 of what is guessed to be raw are refused */
  readonly image_type: 'Raw' | 'Qcow2'
}

/** What is booted: the files of an image. */
export interface Payload {
  /** an agent listens in the guest, see `images/agent-protocol.ts` */
  readonly hasAgent: boolean
  readonly kernel: string
  readonly initramfs?: string
  readonly cmdline: string
  readonly disks: readonly { readonly [K in keyof DiskSpec]?: DiskSpec[K] | undefined }[]
}

/**
 * Describes a VM. Landlock is always asked for: the VMM adds the paths of the configuration to its rules by itself, and
 * does without on a kernel that has none. A console that is not wanted must be turned off: the default is the VMM's
 * own terminal.
 */
export function vmConfigOf(
  spec: BoxSpec,
  { kernel, initramfs, cmdline, disks, hasAgent }: Payload,
  files: RunFiles,
  uuid: string,
  quirks: Quirks,
): VmConfig {
  const all = [...disks, ...(spec.disks ?? [])]
  return {
    cpus: { boot_vcpus: spec.cpus, max_vcpus: spec.cpus },
    memory: { size: spec.memoryMib * 1024 * 1024 },
    payload: { kernel, ...(initramfs === undefined ? {} : { initramfs }), cmdline },
    ...(all.length === 0 ? {} : { disks: all.map(diskOf) }),
    rng: { src: '/dev/urandom' },
    serial: { mode: 'File', file: files.serial },
    console: spec.command ? { mode: 'File', file: files.command } : { mode: 'Off' },
    pvpanic: true,
    ...(hasAgent ? { vsock: { cid: guestCid, socket: files.vsock } } : {}),
    platform: quirks.systemUuid ? { system_uuid: uuid } : { uuid },
    landlock_enable: true,
    landlock_rules: [{ path: files.dir, access: 'rw' }],
  }
}

function diskOf({ path = '', format, readonly }: Payload['disks'][number]): VmDisk {
  return { path, readonly: readonly ?? false, image_type: format === 'qcow2' ? 'Qcow2' : 'Raw' }
}
