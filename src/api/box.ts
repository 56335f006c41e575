import type { Observable } from 'rxjs'
import type { BoxActor, BoxInfo, BoxMetrics } from '../engine/index.ts'
import type { BoxTag, LedgerRecord, StopMode } from '../machines/index.ts'
import type { ConsoleOf, CopyProgress } from '../vmm/index.ts'
import type { ExecOptions, Execution } from './execution.ts'
import type { BoxSnapshots, CloneOptions } from './snapshots.ts'

export type { CloneOptions, CopyProgress, ExecOptions }

export interface CommandOptions {
  /** the same ID twice: the same result, done once */
  readonly commandId?: string
  /** refuse unless the box is at this version */
  readonly expectedVersion?: number
  /** who asks, kept in the record */
  readonly actor?: string
  /** ends the wait, not what was asked for */
  readonly signal?: AbortSignal
}

export type StopOptions = { readonly timeoutMs?: number; readonly mode?: StopMode } & CommandOptions
export type RemoveOptions = { readonly force?: boolean } & CommandOptions
export interface WaitForOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}
export interface ConsoleOptions {
  readonly follow?: boolean
  readonly incarnation?: number
  /** default `guest`, its serial port; `command`: only what the main command prints, byte by byte */
  readonly of?: ConsoleOf
  /** of what is there, so many lines from the end; default: all */
  readonly tail?: number
  readonly signal?: AbortSignal
}

export interface CopyOptions {
  readonly signal?: AbortSignal
  /** called as the copy goes on; through the owner's socket not with each step */
  readonly onProgress?: (progress: CopyProgress) => void
}

/** What can be read of the ledger. */
export interface EventsOptions {
  /** first position, inclusive; default 1 */
  readonly from?: number
  /** ID or name */
  readonly box?: string
  readonly types?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** go on with what comes */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/** What can be read of one box's records. */
export type BoxEventsOptions = Omit<EventsOptions, 'box' | 'labels'>

/**
 * A handle of one box; stays usable whatever happens to the box. Every method may reject with `NOT_FOUND` once the
 * box was removed, with `ENGINE_CLOSED`, and through the owner's socket with `NO_OWNER`.
 *
 * @example
 * const box = await runtime.create({ name: 'hello' })
 * await box.start()
 * await box.stop()
 */
export interface Box {
  readonly id: string
  /** through the owner's socket: as of the last answer about the box */
  readonly name: string | undefined

  /** Its latest durable state, also after it was removed. */
  info(): Promise<BoxInfo>
  /**
   * Resolves when the box is ready, at once if it is up. Rejects with `VMM_NOT_FOUND`, `VMM_START_FAILED`,
   * `VMM_TIMEOUT`, `BOOT_FAILED`, `VMM_GONE` (the box is then `failed`), `GUEST_UNREACHABLE` (it runs on), or
   * `ABORTED` when it was stopped meanwhile.
   */
  start(c?: CommandOptions): Promise<void>
  /** Resolves when the box is down. Time for the guest to power off: `timeoutMs`, default the spec's. */
  stop(o?: StopOptions): Promise<void>
  restart(c?: CommandOptions): Promise<void>
  pause(c?: CommandOptions): Promise<void>
  resume(c?: CommandOptions): Promise<void>
  /** Resolves when nothing is left but the history. Without `force` a box that is up is `INVALID_STATE`. */
  remove(o?: RemoveOptions): Promise<void>
  /** Resolves when the box is down with no restart left, or gone. */
  wait(o?: { readonly signal?: AbortSignal }): Promise<BoxInfo>
  /** Resolves with the first state that passes, the current one included; `ABORTED` after `timeoutMs`. */
  waitFor(test: BoxTag | ((info: BoxInfo) => boolean), o?: WaitForOptions): Promise<BoxInfo>
  /**
   * Runs a command in the box, which is started if it is not up. The box's environment, `workdir` and `user` hold for it
   * too. It is recorded, as a stream of its own in the ledger, before it is run, and when it has ended.
   */
  exec(command: string, args?: readonly string[], o?: ExecOptions): Execution
  /**
   * Copies a file, a link or a directory of this machine into the guest, with modes, times and links; owned by root
   * there. `to` is an absolute path: a directory takes what comes, else it gets that name, and directories on the way are
   * made. Nothing has its final name before it is whole; a directory of that name stays, and files in it are replaced one
   * by one. Starts the box if it is not up. Rejects with `NOT_FOUND`, `INVALID_ARGUMENT`, `NO_SPACE`, `ABORTED`,
   * `UNSUPPORTED` (no agent in the guest), `INVALID_STATE` (paused), `GUEST_UNREACHABLE`, and as `start` does.
   */
  copyIn(from: string, to: string, o?: CopyOptions): Promise<void>
  /** The same out of the guest; owned by this process's user, and without set-user-ID bits. */
  copyOut(from: string, to: string, o?: CopyOptions): Promise<void>
  /** Its snapshots: all that is saved of it to go on from. They go when it is removed. */
  readonly snapshots: BoxSnapshots
  /**
   * A new box that goes on from where this one is, or was saved: with the same spec, labels and secrets, and an identity
   * of its own. Resolves when it is ready; one that does not come up is removed again. Rejects as `snapshots.create` and
   * `start` do.
   */
  clone(o?: CloneOptions): Promise<Box>
  /** Output of the last incarnation, or the given one; with `follow` until it is over, also if it has yet to begin. */
  console(o?: ConsoleOptions): AsyncGenerator<Uint8Array, void, undefined>
  /**
   * What is counted of it: by its VMM and the host, which are looked at once a second at most, whoever asks; and by the
   * ledger.
   */
  metrics(): Promise<BoxMetrics>
  /** This box's records, by version; with `follow` also those to come. */
  events(o?: BoxEventsOptions): AsyncGenerator<LedgerRecord, void, undefined>
  /** Starts with the current state; completes when the box is removed or the runtime closes. */
  readonly state$: Observable<BoxInfo>
  /**
   * A real XState actor that follows the ledger: `subscribe`, `getSnapshot`, `matches`, `can`. `send` of a command
   * hands it to the box; facts cannot be sent. Throws `NOT_FOUND` for a box that was removed.
   */
  readonly actor: BoxActor
}
