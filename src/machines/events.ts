import type { Origin, SnapshotPlace, TemplatePlace } from './snapshots.ts'
import type { BoxSpec, HealthState, StopMode } from './spec.ts'

/** Who a VMM process is, so that its pid is never taken for another's. */
export interface ProcessIdentity {
  readonly pid: number
  /** field 22 of /proc/PID/stat, in clock ticks since boot */
  readonly startTime: string
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string
  /** inode of the pid namespace that `pid` belongs to */
  readonly pidNamespace: string
}

/** A VM as its VMM tells it; `none`: nothing created. */
export type VmPresence = 'none' | 'created' | 'running' | 'paused'

/** Requests: refused where the machine does not accept them, and a refusal is not recorded. */
export type BoxCommand =
  | {
      readonly type: 'box.created'
      readonly id: string
      readonly name: string | null
      readonly labels: Readonly<Record<string, string>>
      readonly spec: BoxSpec
      /** what its first VMM begins with, instead of a boot */
      readonly origin?: SnapshotPlace
      /** name of the image that it is there to make a template of */
      readonly makes?: string
    }
  | { readonly type: 'box.renamed'; readonly name: string | null }
  | {
      readonly type: 'start.requested'
      /** name of the box's snapshot to begin with, instead of a boot */
      readonly snapshot?: string
      /** boot, even where there is a template */
      readonly boots?: true
    }
  | {
      readonly type: 'stop.requested'
      readonly mode: StopMode
      readonly timeoutMs?: number
      /** why, where that is not plain; ends up in the ending's message */
      readonly reason?: string
    }
  | { readonly type: 'restart.requested' }
  | { readonly type: 'pause.requested' }
  | { readonly type: 'resume.requested' }
  | {
      readonly type: 'snapshot.requested'
      readonly name: string
      /** it is made for a clone to begin with, and for nothing else */
      readonly forClone?: true
      /** of the disks that the box has for itself, in `MiB`; absent: it has none */
      readonly disksMib?: number
    }
  | { readonly type: 'snapshot.removal.requested'; readonly name: string }
  | { readonly type: 'remove.requested'; readonly force: boolean }
  | { readonly type: 'box.resolved'; readonly verdict: 'dead' }

export type StopRung = 'power-button' | 'power-cut' | 'vmm-shutdown' | 'terminate' | 'kill'

/** What went wrong, with a stable code of the public table. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

interface Told {
  readonly incarnation: number
  /** end of what was read of the event monitor's file, in `bytes` */
  readonly offset?: number
}

/** What the world did: never refused, always recorded. */
export type BoxFact = Told &
  (
    | {
        readonly type: 'start.stage'
        readonly stage: 'preparing' | 'spawning'
        /** what the VM is to begin with, instead of a boot */
        readonly template?: TemplatePlace
        /** why there is a template that it does not begin with */
        readonly passedOver?: Failure
      }
    | ({ readonly type: 'start.failed' } & Failure)
    | { readonly type: 'vmm.spawned'; readonly process: ProcessIdentity }
    | { readonly type: 'vmm.ready'; readonly version: string }
    | { readonly type: 'vm.created' }
    | { readonly type: 'vm.booted' }
    | { readonly type: 'guest.ready' }
    | { readonly type: 'vmm.adopted'; readonly process: ProcessIdentity; readonly vm: VmPresence }
    | { readonly type: 'guest.powered-off' }
    | { readonly type: 'guest.rebooted'; readonly count: number }
    | { readonly type: 'guest.panicked' }
    | { readonly type: 'command.exited'; readonly exitCode: number }
    | ({ readonly type: 'vmm.exited' } & Exit)
    | { readonly type: 'host.rebooted' }
    | {
        readonly type: 'health.changed'
        readonly health: Exclude<HealthState, 'starting'>
        /** what the last question came to, of one that is unhealthy */
        readonly reason?: string
      }
    | {
        readonly type: 'stop.rung'
        readonly rung: StopRung
        readonly result: 'done' | 'failed'
        readonly message?: string
      }
    | { readonly type: 'vm.paused' }
    | ({ readonly type: 'pause.failed' } & Failure)
    | { readonly type: 'vm.resumed' }
    | ({ readonly type: 'resume.failed' } & Failure)
    /** by the VMM; the snapshot counts once it is committed */
    | { readonly type: 'snapshot.written'; readonly name: string }
    | {
        readonly type: 'snapshot.committed'
        readonly name: string
        /** of all its files, in `bytes` */
        readonly bytes: number
        /** what the VMM calls its version */
        readonly vmm: string
      }
    | ({ readonly type: 'snapshot.failed'; readonly name: string } & Failure)
    /** `guest`: it was `ready` when it was saved, or `unready`; or it is `stale` until its agent has set it right */
    | ({
        readonly type: 'snapshot.restored'
        readonly guest: 'ready' | 'unready' | 'stale'
      } & Origin)
    | { readonly type: 'snapshot.removed'; readonly name: string }
    | ({ readonly type: 'snapshot.removal.failed'; readonly name: string } & Failure)
    | { readonly type: 'restart.scheduled'; readonly delayMs: number }
    | { readonly type: 'box.unknown'; readonly reason: string }
    /** its number is higher than any that the ledger knows: the ledger has lost its end, or is an older one */
    | {
        readonly type: 'incarnation.found'
        readonly process: ProcessIdentity | null
        readonly lives: boolean
      }
    | { readonly type: 'box.removed' }
    | ({ readonly type: 'remove.failed' } & Failure)
    | { readonly type: 'timer.fired'; readonly timer: string }
  )

/** The evidence of a VMM process that has ended, gathered by the driver after proof of death. */
export interface Exit {
  /** false: the process was never made */
  readonly spawned: boolean
  /** absent where nobody could know, as for an adopted process */
  readonly exitCode?: number
  readonly signal?: string
  /**
   * `orderly`: the event monitor ends with the VM shut down, or the VMM has ended in good order without a word;
   * `rebooting`: within a reboot; `booting`: before the boot was over; `none`: nothing of the kind
   */
  readonly last: 'orderly' | 'rebooting' | 'booting' | 'none'
  /** the VMM said that a virtual CPU failed, which looks orderly otherwise */
  readonly vcpuError?: boolean
  /** the VMM was run so that a guest's power-off does not end it: an orderly end is then somebody's doing */
  readonly noShutdown: boolean
  /** the last names in the event monitor's file, oldest first */
  readonly lastEvents?: readonly string[]
  /** the last lines of the VMM's own log */
  readonly logTail?: string
  /** the main command's, where the guest told it */
  readonly commandExitCode?: number
}

export type BoxEvent = BoxCommand | BoxFact
export type EventType = BoxEvent['type']

/** An event with the time it was accepted at, in `ms since 1970`: what the machine is fed. */
export type StampedEvent = BoxEvent & { readonly at: number }

const commandTypes: ReadonlySet<string> = new Set<BoxCommand['type']>([
  'box.created',
  'box.renamed',
  'start.requested',
  'stop.requested',
  'restart.requested',
  'pause.requested',
  'resume.requested',
  'snapshot.requested',
  'snapshot.removal.requested',
  'remove.requested',
  'box.resolved',
])

export function isCommand(event: BoxEvent): event is BoxCommand {
  return commandTypes.has(event.type)
}
