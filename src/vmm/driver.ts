import type { CallbackActorLogic } from 'xstate'
import type { Boundary, BoxContext, BoxFact, Effect, ProcessIdentity } from '../machines/index.ts'
import type { GuestChannel } from './guest/channel.ts'
import type { GuestPlace } from './guest/reach.ts'
import type { VmmLooks } from './looks.ts'

/** What the driver of one incarnation is made with. */
export interface DriverInput {
  readonly box: string
  readonly incarnation: number
  /** directory of the home, absolute */
  readonly home: string
  /** as the ledger has it when the driver is made */
  readonly context: BoxContext
  /**
   * Tells a fact; resolves when it is durable. Facts are recorded in the order in which they are told. Rejects when
   * the engine is closing: the driver then stops.
   */
  readonly tell: (fact: BoxFact) => Promise<void>
  /** how a VMM is found and started */
  readonly vmm: VmmChoice
  /** progress of preparing the image, for people */
  readonly onProgress?: (message: string) => void
  /** told when a VMM that lives stops answering, and when it answers again; not while a call is under way */
  readonly onResponding?: (responding: boolean) => void
  /** told before and after each thing that a crash could come between, by name; for crash tests */
  readonly boundary?: Boundary
}

/** Where the VMM program comes from, by the caller's wish. */
export interface VmmChoice {
  /** program and first arguments, or absent for discovery */
  readonly binary?: string | readonly string[]
  /** the environment that discovery reads */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What the engine sends to a driver actor. */
export type DriverEvent =
  /**
   * Do this; the outcome comes back as facts. `recovered`: an earlier engine may have begun it, so look at the world
   * before doing it again.
   */
  | {
      readonly type: 'effect'
      readonly effect: Effect
      readonly context: BoxContext
      readonly recovered: boolean
    }
  /** The machine has left the state that asked for the effect: its outcome is not waited for any more. */
  | { readonly type: 'cancel'; readonly id: string }
  /**
   * Look at an incarnation of an earlier engine: read the event monitor's file on from `context.eventOffset`, then
   * tell `vmm.adopted`, `vmm.exited`, `host.rebooted` or `box.unknown`.
   */
  | { readonly type: 'look' }

/** What the host has of incarnations, whatever the ledger knows of them. */
export interface RunsOnHost {
  /** VMMs that run, as far as they can be seen */
  living(home: string): readonly LivingVmm[]
  /** Highest number among a box's run directories; 0: none. Throws where it cannot be told. */
  highest(home: string, box: string): number
  /** Whether the VMM of a run directory may live; what cannot be looked at may. */
  mayLive(home: string, box: string, incarnation: number): boolean
}

export interface LivingVmm {
  readonly box: string
  readonly incarnation: number
  readonly process: ProcessIdentity
}

/** All that acts on the world or looks at it: the logic of driver actors, and the files that they leave. */
export interface Hands {
  readonly runs: RunsOnHost
  readonly driver: CallbackActorLogic<DriverEvent, DriverInput>
  /** a new session with the agent of a guest that is up; rejects with `UNSUPPORTED`, `GUEST_UNREACHABLE` or `ABORTED` */
  readonly reach: (place: GuestPlace, signal: AbortSignal) => Promise<GuestChannel>
  /** questions to VMMs and the host, beside what drivers do */
  readonly looks: VmmLooks
  /** deletes a snapshot of a box; fine if it is gone */
  readonly removeSnapshot: (home: string, box: string, name: string, boundary: Boundary) => Promise<void>
  /** deletes all files of a box; fine if there are none */
  readonly removeFiles: (home: string, box: string, boundary: Boundary) => Promise<void>
}
