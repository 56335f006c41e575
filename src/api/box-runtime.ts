import type { Observable } from 'rxjs'
import type { BoxInfo, RuntimeMetrics } from '../engine/index.ts'
import type { LedgerRecord } from '../machines/index.ts'
import type { ArchiveReport, CompactReport, ImportReport, VerifyReport } from '../store/index.ts'
import type { Audit } from './audit.ts'
import type { Box, CommandOptions, EventsOptions, RemoveOptions } from './box.ts'
import type { Images } from './images.ts'
import type { BoxOptions } from './options.ts'
import type { ListFilter } from './runtime-options.ts'
import type { DurableSubscription, SubscriptionOptions, Subscriptions } from './subscriptions.ts'
import type { ExportOptions } from './transfer.ts'

/** The boxes of one home: embedded, or through its owner's socket. */
export interface BoxRuntime extends Audit, AsyncDisposable {
  /** Records the box and starts nothing. Rejects with `INVALID_ARGUMENT` or `NAME_TAKEN`. */
  create(options?: BoxOptions, c?: CommandOptions): Promise<Box>
  /** The box of that name, made if there is none; an existing one is returned as it is. */
  getOrCreate(
    options: BoxOptions & { name: string },
    c?: CommandOptions,
  ): Promise<{ box: Box; created: boolean; differs: string[] }>
  /** By exact ID, exact name, or an ID prefix of at least 4 characters that is unique (else `AMBIGUOUS_ID`). */
  get(idOrName: string): Promise<Box | undefined>
  getInfo(idOrName: string): Promise<BoxInfo | undefined>
  exists(idOrName: string): Promise<boolean>
  /** Newest first. */
  listInfo(filter?: ListFilter): Promise<BoxInfo[]>
  /** Exact ID or name only. Resolves when nothing is left but the history. */
  remove(idOrName: string, o?: RemoveOptions): Promise<void>
  /** Exact ID or name only; `null` takes the name away. */
  rename(idOrName: string, name: string | null, c?: CommandOptions): Promise<void>
  /** An operator's word for a box that cannot be looked at: its VMM is dead. */
  resolve(idOrName: string, verdict: 'dead', c?: CommandOptions): Promise<void>
  /**
   * Makes a copied or imported home's boxes live ones. Until then they are history (`BoxInfo.inert`): nothing happens to
   * them, and commands reject with `INVALID_STATE`. Does nothing in a home that is none.
   */
  adopt(): Promise<void>
  /** Records by position, lossless; with `follow` also those to come, until `signal` or `close`. */
  events(o?: EventsOptions): AsyncGenerator<LedgerRecord, void, undefined>
  events$(o?: EventsOptions): Observable<LedgerRecord>
  /**
   * A reader whose progress the home keeps under this name: it goes on behind what it acknowledged. The name has the
   * pattern of box names, and keeps its filter: another one is `INVALID_ARGUMENT`. A home has at most 10,000.
   */
  subscription(name: string, o?: SubscriptionOptions): DurableSubscription
  readonly subscriptions: Subscriptions
  /** A box's records by version; of a removed one, by ID. */
  history(idOrName: string): AsyncGenerator<LedgerRecord, void, undefined>
  /** One for each transition, in order, of all boxes. */
  readonly changes$: Observable<BoxInfo>
  /** All boxes, newest first: at once, and then the latest whenever something has changed. */
  readonly boxes$: Observable<readonly BoxInfo[]>
  /** Counted from the ledger: the first time all of it is read. */
  metrics(): Promise<RuntimeMetrics>
  /** Checks the ledger from its first record to its last; `replay` folds every box anew as well. */
  verify(o?: { readonly replay?: boolean; readonly box?: string }): Promise<VerifyReport>
  /**
   * The ledger up to now, or one box with its executions: the bytes as they are stored, a line each, between a first and
   * a last line; see `docs/export.md`. Each record is proven before it is given: `LEDGER_CORRUPT` (`details.position`) where
   * one is damaged.
   */
  exportLedger(o?: ExportOptions): AsyncIterableIterator<string>
  /**
   * Fills an empty home with the lines of an export, all of them or nothing; its boxes are history until `adopt`. Rejects with
   * `LEDGER_CORRUPT` (`details.line`, `details.position`, `details.box`), `FORMAT_UNSUPPORTED`, `INVALID_STATE` if the home is not empty,
   * and over the socket with `NO_OWNER` if the owner ends meanwhile.
   */
  importLedger(lines: AsyncIterable<string>): Promise<ImportReport>
  /**
   * Moves the records of boxes that were removed before a time out of the database, into closed segments in the home
   * (`archive/`). They are read and verified as before; frames stay. Cut off, it loses nothing and goes on when it is
   * asked for again. `compact` then gives the space back.
   */
  archive(o: { readonly before: Date }): Promise<ArchiveReport>
  /**
   * Gives back the disk space of what was archived, overwritten or deleted, while all else goes on. Needs room for a part
   * of the ledger meanwhile: `NO_SPACE` if there is none.
   */
  compact(): Promise<CompactReport>
  /** What boxes can be made of, by name. */
  readonly images: Images
  /** Stops in good order what is not to outlive this process, then closes. Of a client: `close`. */
  shutdown(o?: { readonly timeoutMs?: number }): Promise<void>
  /** Frees the home; boxes run on. Of a client: ends its waits and streams, and nothing else. Idempotent. */
  close(): Promise<void>
}
