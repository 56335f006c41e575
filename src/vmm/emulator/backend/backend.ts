import type { VmConfig } from '../config/vm-config.ts'
import type { Log } from '../log.ts'
import type { SerialPort } from './serial-port.ts'
import type { Dial } from './vsock.ts'

/** What a guest does by itself. */
export type Happening = 'power-off' | 'reset' | 'panic' | 'vcpu-error'

/** A guest that has been started. All calls resolve when the thing is done. */
export interface Guest {
  pause(): Promise<void>
  resume(): Promise<void>
  pressPowerButton(): Promise<void>
  injectNmi(): Promise<void>
  /** Ends it like a pulled plug; nothing is told afterwards. */
  cut(): Promise<void>
  /** Connects to a port of its vsock device; nothing where nobody listens. */
  dial: Dial
  /** Writes `state.json` and `memory-ranges` of the paused guest into an existing directory. */
  save(directory: string): Promise<void>
}

export interface GuestRequest {
  readonly config: VmConfig
  readonly serial: SerialPort
  readonly console: SerialPort
  /** A snapshot's directory: the guest starts paused, as it was saved. */
  readonly restoreFrom?: string
  readonly tell: (happening: Happening) => void
}

export interface Backend {
  readonly name: 'qemu' | 'none'
  /** Whether devices, vCPUs and memory can be changed while the guest runs. */
  readonly hotplug: boolean
  start(request: GuestRequest): Promise<Guest>
}

export interface BackendOptions {
  readonly accel: 'tcg' | 'kvm'
  readonly qemuBinary: string
  readonly powerButtonIgnored: boolean
  /** Fake guests never say that they are ready. */
  readonly silent: boolean
  /** Where sockets may be made: the API socket's directory. */
  readonly socketDirectory: string
  readonly log: Log
}
