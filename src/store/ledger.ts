import type {
  Boundary,
  BoxError,
  ExecutionHead,
  Head,
  LedgerRecord,
  RecordMeta,
  Schema,
  StreamHead,
  StreamTransition,
} from '../machines/index.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { ArchiveReport } from './archive/report.ts'
import type { CompactReport } from './compact.ts'
import type { ImportReport } from './import/report.ts'
import type { Medium } from './medium.ts'
import type { Past } from './past.ts'
import type { Tail } from './tail-file.ts'

/** A transition handed in to be made durable. */
export interface Append {
  /** the stream: a box's ID, or `BOX.EXECUTION` */
  readonly box: string
  /** version that the transition was computed from; 0 for a new stream */
  readonly expectedVersion: number
  readonly transition: StreamTransition
  /** in `ms since 1970` */
  readonly at: number
  readonly meta: Pick<RecordMeta, 'commandId' | 'cause' | 'actor'>
}

/** What became durable. */
export interface Committed {
  readonly record: LedgerRecord
  readonly head: StreamHead
}

export interface ReadOptions {
  /** first position, inclusive; default 1 */
  readonly from?: number
  /** last position, inclusive; default the tail at the time of each page */
  readonly to?: number
  /** one box only with its executions, by ID */
  readonly box?: string
}

export interface Parked {
  readonly position?: number
  readonly reason: string
  /** the box was removed before: nobody waits for it */
  readonly removed?: boolean
}

/** The ownership before this one, as the ledger's own journal has it. */
export interface PreviousOwner {
  readonly epoch: number
  readonly bootId: string
  /** it closed the home itself */
  readonly closed: boolean
}

export interface Problem {
  readonly kind: string
  readonly position?: number
  readonly box?: string
  readonly file?: string
  readonly message: string
}

export interface VerifyReport {
  readonly ok: boolean
  readonly records: number
  readonly boxes: number
  readonly parked: readonly string[]
  readonly problems: readonly Problem[]
}

/**
 * The durable truth: an append-only order of transitions, with every box's head. One process has it open.
 *
 * Committed records are told in the order of their positions, to `onCommit` first and to the appender after it; both
 * only once the batch is synced. Between the two nothing else happens.
 */
export interface Ledger {
  /** number of this ownership; only grows */
  readonly epoch: number
  readonly previous: PreviousOwner | undefined
  /** copied or imported, and not adopted: history, whose boxes have no VMMs here */
  readonly isInert: boolean
  /** last durable position (0: none) and its hash */
  readonly tail: { readonly position: number; readonly hash: string }
  /** heads of all boxes that are not removed; of a parked box too, as long as its head is good */
  heads(): Iterable<Head>
  head(box: string): Head | undefined
  /** heads of all executions that are running, as far as the ledger knows */
  executions(): Iterable<ExecutionHead>
  /** of one that is running, by its stream */
  execution(stream: string): ExecutionHead | undefined
  /** how many a box has had that is not removed */
  executionsOf(box: string): number
  /** head of a removed box, from disk; rejects with `LEDGER_CORRUPT` if it is damaged */
  removedHead(box: string): Promise<Head | undefined>
  /** streams whose records are damaged: of a box, by its ID, or of an execution */
  readonly parked: ReadonlyMap<string, Parked>
  /**
   * What is wrong with the ledger as a whole, so that it takes no writes for now. Only `LEDGER_CORRUPT` is for good;
   * with `NO_SPACE` it can mostly still be read, and all goes on by itself once there is room.
   */
  readonly failure: BoxError | undefined
  /**
   * Resolves when durable. Rejects with `WRONG_EXPECTED_VERSION` or `NAME_TAKEN` before anything is written,
   * `INVALID_ARGUMENT` for what is no JSON, `ENGINE_OVERLOADED` when the queue is full, `LEDGER_CORRUPT` for a parked box, `ENGINE_CLOSED`, `NO_SPACE`, and
   * `COMMIT_UNKNOWN` (`details.commandId`) when the batch was rejected.
   */
  append(append: Append): Promise<Committed>
  /** the box that a name means, also while the transition that gives it is on its way to the disk */
  claimant(name: string): string | undefined
  /** what a command ID has led to */
  command(commandId: string): Promise<{ readonly box: string; readonly position: number } | undefined>
  /**
   * Lossless, in pages; ends at the tail. Every record is proven by its hashes first: at one that is damaged it rejects
   * with `LEDGER_CORRUPT` (`details.position`). Positions that a repair has declared lost are passed over; of one box they
   * are damage like any other.
   */
  read(options?: ReadOptions): AsyncIterable<LedgerRecord>
  /** of one stream, by version, over or not */
  history(stream: string): AsyncIterable<LedgerRecord>
  readonly past: Past
  /**
   * Told too are records that turn out, after a write was rejected, to be there all the same; their appenders have got
   * `COMMIT_UNKNOWN`. A listener that throws does so on its own, as an uncaught exception.
   */
  onCommit(listener: (committed: readonly Committed[]) => void): () => void
  /** makes this directory the ledger's home, durably */
  adopt(): Promise<void>
  verify(options?: { readonly box?: string; readonly replay?: boolean }): Promise<VerifyReport>
  /**
   * All of the ledger up to its tail, or one box with its executions, as pages of lines: the bytes as they are stored,
   * each record proven before it is given; see `docs/export.md`. Rejects with `LEDGER_CORRUPT` at what is damaged.
   */
  export(options?: {
    readonly box?: string
    /** the end of an earlier export, to have the same again; default the ledger's own */
    readonly upTo?: Tail
  }): AsyncGenerator<string[], void, undefined>
  /**
   * Fills an empty ledger with the lines of an export; all of them, or nothing. It is inert then, as a copy is. Rejects
   * with `LEDGER_CORRUPT` (`details.line`), `FORMAT_UNSUPPORTED`, `INVALID_STATE` if the ledger is not empty, `NO_SPACE`.
   */
  import(lines: AsyncIterable<string>): Promise<ImportReport>
  /**
   * Moves records of boxes that were removed before a time, in `ms since 1970`, out of the database, into closed
   * segments in the home; they can be read and verified as before. Frames stay. Cut off at any moment it loses
   * nothing, and goes on when it is asked for again.
   */
  archive(before: number): Promise<ArchiveReport>
  /** Gives back the space of what was archived, overwritten or deleted, while all else goes on. */
  compact(): Promise<CompactReport>
  /** how far readers have come, beside the chain */
  readonly acknowledgements: Acknowledgements
  /** writes what is queued, then lets go of the home; idempotent */
  close(): Promise<void>
}

export interface OpenLedgerOptions {
  /** directory of the home, absolute; made if missing */
  readonly home: string
  readonly bootId: string
  /** name and version of the engine */
  readonly engine: string
  /** `process`: no fsync; survives a crash of the process, not of the host. Default `sync` */
  readonly durability?: 'sync' | 'process'
  /** `ms since 1970`, whole */
  readonly now: () => number
  /** transitions that may wait for the disk before `ENGINE_OVERLOADED`; default 16,384 */
  readonly maxQueued?: number
  /**
   * Goes around the write of every group of transitions. It has to call `write` once and pass on how that ends. By
   * waiting before it calls, it holds the disk; by rejecting before or after, it makes a disk that fails, with the
   * group lost or there. Made for tests and measurements.
   */
  readonly aroundFlush?: (write: () => Promise<void>) => Promise<void>
  /** what the ledger stands on; default the directory of the home */
  readonly medium?: Medium
  /** what events and states are read and written as; default this release's. For tests of a change of it */
  readonly schema?: Schema
  /** Waits so many `ms`, or until the signal fires, and never rejects. Default: the machine's own time. */
  readonly pause?: Pause
  /** told before and after each step that a crash could come between; made for tests */
  readonly boundary?: Boundary
}

export type Pause = (ms: number, signal: AbortSignal) => Promise<void>
