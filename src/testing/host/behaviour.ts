import type { BoxSpec } from '../../machines/index.ts'

/** What a driver does in the world. */
export type CallName =
  | 'prepare'
  | 'spawn'
  | 'connect'
  | 'vm.create'
  | 'vm.boot'
  | 'vm.pause'
  | 'vm.resume'
  | 'vm.snapshot'
  | 'vm.restore'
  | 'vm.power-button'
  | 'vm.shutdown'
  | 'vmm.shutdown'
  | 'SIGTERM'
  | 'SIGKILL'
  | 'look'
  | 'remove'

/** What comes of one call. */
export interface Call {
  /** until it takes effect, in `ms`; default 1 */
  readonly ms?: number
  /** and from then until the answer, in `ms`; default 0 */
  readonly answerMs?: number
  /**
   * `refused`: nothing was done, and the answer says so; `lost`: it was done, and the answer is cut off; `hangs`: no answer
   * comes, to this call or any after it; `dies`: the VMM ends in the middle. Default `done`
   */
  readonly outcome?: 'done' | 'refused' | 'lost' | 'hangs' | 'dies'
  /** what a refusal says; default a code that fits the call */
  readonly code?: string
}

/** What a guest or its VMM does without being asked. */
export interface Fate {
  /** from the boot, in `ms`; of a VM that is paused, later */
  readonly afterMs: number
  /**
   * `exit`: the main command ends, and the guest powers off; `silence`: the VMM answers nothing for a while; `shutdown`:
   * somebody ends the VMM in an orderly way; `pause` and `resume` come from outside too
   */
  readonly does:
    | 'power-off'
    | 'exit'
    | 'panic'
    | 'reboot'
    | 'crash'
    | 'vcpu-error'
    | 'shutdown'
    | 'pause'
    | 'resume'
    | 'silence'
  /** of the main command, with `exit`; default 0 */
  readonly exitCode?: number
  /** of a silence, in `ms`; default 60,000 */
  readonly forMs?: number
}

/** How one VMM and its guest behave, from the start to the end of their incarnation. */
export interface Behaviour {
  /** asked for each call when it is made */
  readonly call: (name: CallName) => Call
  /** from the boot until the guest says that it is ready, in `ms`; `Infinity`: never */
  readonly readyMs: number
  /** from the power button until the guest is off, in `ms`; `Infinity`: it ignores it */
  readonly powerOffMs: number
  readonly fates: readonly Fate[]
  /** the image has a template that fits: it begins with that, unless it is to boot. Default false */
  readonly isWarm?: boolean
}

/** What a behaviour is decided on. */
export interface Start {
  readonly box: string
  readonly name: string | null
  /** 1 for the first start of a box */
  readonly incarnation: number
  readonly spec: BoxSpec
}

/**
 * Says how the VMM and the guest of a start behave; what it leaves out goes well and fast. Asked once for each
 * incarnation.
 *
 * @example
 * // The first two boots are refused, the third guest crashes after a minute.
 * const script: Script = ({ incarnation }) =>
 *   incarnation <= 2
 *     ? { call: name => (name === 'vm.boot' ? { outcome: 'refused' } : {}) }
 *     : { fates: [{ afterMs: 60_000, does: 'crash' }] }
 */
export type Script = (start: Start) => Partial<Behaviour>

export function behaviourOf(script: Script, start: Start): Behaviour {
  return { call: () => ({}), readyMs: 100, powerOffMs: 200, fates: [], ...script(start) }
}
