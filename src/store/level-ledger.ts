import { type Boundary, BoxError, type Head, type LedgerRecord, noBoundary } from '../machines/index.ts'
import { again, closedError, commitUnknown } from './answers.ts'
import type { Archive } from './archive/archive.ts'
import type { ArchiveReport } from './archive/move.ts'
import { decodeHead } from './codec.ts'
import type { CompactReport } from './compact.ts'
import type { Database } from './database.ts'
import { authorOf, type Entry, type Placed } from './entry.ts'
import { GroupCommit } from './group-commit.ts'
import { settle } from './home.ts'
import { type Ownership, writeOwnership } from './journal.ts'
import { removedKey } from './keys.ts'
import type {
  Append,
  Committed,
  Ledger,
  OpenLedgerOptions,
  Parked,
  PreviousOwner,
  ReadOptions,
  VerifyReport,
} from './ledger.ts'
import { type Listener, Listeners } from './listeners.ts'
import type { Loaded } from './load.ts'
import type { Lock } from './lock.ts'
import { Maintenance } from './maintenance.ts'
import type { Medium } from './medium.ts'
import { Reader } from './reader.ts'
import { ghostsAfter, reopen, waitForRoom } from './recovery.ts'
import { Registry } from './registry.ts'
import { storageError } from './storage-error.ts'
import type { Tail, TailFile } from './tail-file.ts'
import { verifyLedger } from './verify.ts'

/** What an open ledger stands on; it closes all of it. */
export interface Ground {
  readonly db: Database
  readonly lock: Lock
  readonly tailFile: TailFile
  readonly medium: Medium
  readonly archive: Archive
  readonly ownership: Ownership
  readonly previous: PreviousOwner | undefined
  readonly loaded: Loaded
  readonly isAtHome: boolean
  /** the disk has no room for the ballast */
  readonly isFull: boolean
}

const defaultMaxQueued = 16_384

export class LevelLedger implements Ledger {
  readonly epoch: number
  readonly previous: PreviousOwner | undefined
  readonly #ground: Ground
  readonly #options: OpenLedgerOptions
  readonly #boundary: Boundary
  readonly #registry = new Registry()
  readonly #commits: GroupCommit
  readonly #reader: Reader
  readonly #maintenance: Maintenance
  readonly #listeners = new Listeners()
  #isInert: boolean
  #tail: Tail
  #failure: BoxError | undefined
  /** waits for room on a full disk; nothing is written meanwhile */
  #room: Promise<void> | undefined
  /** it takes no writes, but can be read */
  #isReadable = false
  /** under way after a rejected group; never while it waits for room */
  #recovery: Promise<void> | undefined
  /** the recovery has ended, or has failed once and goes on trying */
  #attempt: Promise<void> | undefined
  #closing: Promise<void> | undefined
  readonly #closed = new AbortController()

  constructor(ground: Ground, options: OpenLedgerOptions) {
    const { ownership, loaded, previous, db, isAtHome } = ground
    this.#ground = ground
    this.#options = options
    this.#boundary = options.boundary ?? noBoundary
    this.epoch = ownership.epoch
    this.previous = previous
    this.#isInert = !isAtHome
    this.#tail = loaded.tail
    this.#registry.load(loaded.heads, loaded.parked, loaded.namesOfParked)
    this.#commits = new GroupCommit(db, loaded.tail, {
      author: authorOf(ownership),
      sync: options.durability !== 'process',
      aroundFlush: options.aroundFlush,
      onDurable: placed => this.#publish(placed),
      onRejected: (error, placed) => {
        this.#recover(error, placed)
      },
    })
    this.#reader = new Reader(db, {
      beside: { losses: loaded.losses, archive: ground.archive },
      tail: () => this.#tail,
      head: box => this.#registry.heads.get(box),
      ready: () => this.#ready(),
    })
    this.#maintenance = new Maintenance({
      db,
      archive: ground.archive,
      options,
      reading: read => this.#reader.reading(read),
      write: write => this.#commits.other(write),
      parked: () => this.#registry.parked,
      refusal: () => (this.#closing ? closedError() : this.#failure && again(this.#failure)),
      closed: this.#closed.signal,
    })
    if (ground.isFull) this.#room = this.#waitForRoom()
  }

  get tail(): Tail {
    return this.#tail
  }

  get isInert(): boolean {
    return this.#isInert
  }

  get parked(): ReadonlyMap<string, Parked> {
    return this.#registry.parked
  }

  get failure(): BoxError | undefined {
    return this.#failure
  }

  heads(): Iterable<Head> {
    return this.#registry.heads.values()
  }

  head(box: string): Head | undefined {
    return this.#registry.heads.get(box)
  }

  claimant(name: string): string | undefined {
    return this.#registry.claimant(name)
  }

  append(append: Append): Promise<Committed> {
    const refusal = this.#refusal(append)
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#add({ append, before: this.#registry.heads.get(append.box), resolve, reject })
    })
  }

  #add(entry: Entry): void {
    try {
      this.#commits.add(entry)
      this.#registry.claim(entry)
    } catch (cause) {
      entry.reject(new BoxError('INVALID_ARGUMENT', 'The transition is not JSON', { cause }))
    }
  }

  #refusal(append: Append): BoxError | undefined {
    if (this.#closing) return closedError()
    if (this.#failure) return again(this.#failure)
    if (this.#commits.length >= (this.#options.maxQueued ?? defaultMaxQueued))
      return new BoxError('ENGINE_OVERLOADED', 'Too many transitions wait for the disk; try again later', {
        details: { waiting: this.#commits.length },
      })
    return this.#registry.refusal(append) ?? this.#reuse(append)
  }

  /** An ID is never used twice. Only a creation has to ask the disk. */
  #reuse({ box, expectedVersion }: Append): BoxError | undefined {
    if (expectedVersion !== 0 || this.#recovery) return undefined
    const sealed = this.#ground.db.getSync(removedKey(box))
    if (sealed === undefined) return undefined
    const actual = decodeHead(sealed)?.version
    return new BoxError('WRONG_EXPECTED_VERSION', `The ID ${box} was that of a box that is removed`, {
      details: { box, expected: 0, actual },
    })
  }

  #publish(placed: readonly Placed[]): void {
    const last = placed.at(-1)
    if (last === undefined) return
    this.#tail = { position: last.record.position, hash: last.record.hash }
    this.#ground.tailFile.write(this.#tail)
    for (const one of placed) this.#registry.commit(one)
    const committed = placed.map(({ record, head }): Committed => ({ record, head }))
    this.#listeners.tell(committed)
    for (const [n, one] of committed.entries()) placed[n]?.entry.resolve(one)
  }

  onCommit(listener: Listener): () => void {
    return this.#listeners.add(listener)
  }

  /**
   * After a rejected write: the database is opened anew, what turned out to be there is told, callers learn that the
   * fate of their transitions was unknown, and what has waited goes on.
   */
  #recover(cause: unknown, placed: readonly Placed[]): void {
    this.#attempt = new Promise(resolve => {
      this.#recovery = this.#reopen(cause, placed, resolve).finally(resolve)
    })
  }

  async #reopen(cause: unknown, placed: readonly Placed[], onFailure: () => void): Promise<void> {
    const { db, tailFile, medium, archive, ownership } = this.#ground
    const before = this.#tail
    let undecided = placed
    const giveUp = () => {
      for (const { entry } of undecided) {
        this.#registry.release(entry)
        entry.reject(commitUnknown(entry, cause))
      }
      undecided = []
    }
    const reopened = await reopen(db, before, ownership, {
      ballast: medium.ballast,
      archive,
      signal: this.#closed.signal,
      pause: this.#options.pause,
      boundary: this.#boundary,
      onFailure: failure => {
        this.#failure = failure
        giveUp()
        this.#rejectWaiting(failure)
        onFailure()
      },
    })
    if (reopened === undefined) {
      giveUp()
      this.#rejectWaiting(this.#failure ?? closedError())
      return
    }
    const { loaded, isFull } = reopened
    const ghosts = await ghostsAfter(before, loaded, db, archive)
    this.#registry.load(loaded.heads, loaded.parked, loaded.namesOfParked)
    this.#tail = loaded.tail
    tailFile.write(loaded.tail)
    this.#failure = undefined
    this.#recovery = undefined
    if (ghosts.length > 0) this.#listeners.tell(ghosts)
    giveUp()
    if (isFull) this.#room = this.#waitForRoom()
    this.#goOn(loaded.tail)
  }

  /** What has waited was accepted before the heads were loaded anew: it is looked at again. */
  #goOn(tail: Tail): void {
    const waiting = this.#commits.takeWaiting()
    for (const entry of waiting) this.#registry.release(entry)
    this.#commits.resume(tail)
    for (const { append, resolve, reject } of waiting) {
      const refusal = this.#registry.refusal(append) ?? this.#reuse(append)
      if (refusal) reject(refusal)
      else this.#add({ append, before: this.#registry.heads.get(append.box), resolve, reject })
    }
  }

  /** While the disk is full the ledger can be read, and takes nothing: the next write could be the last to open it. */
  async #waitForRoom(): Promise<void> {
    const { medium, db, ownership } = this.#ground
    const { ballast } = medium
    this.#isReadable = true
    this.#failure = new BoxError(
      'NO_SPACE',
      'The disk is full. Free some space; writing goes on by itself then',
    )
    this.#rejectWaiting(this.#failure)
    if (!(await waitForRoom(ballast, this.#closed.signal, this.#options.pause))) return
    try {
      await writeOwnership(db, ownership)
      this.#failure = undefined
    } catch (error) {
      // LevelDB remembers that a compaction failed, and has to be opened anew.
      this.#recover(error, [])
    }
    this.#isReadable = false
  }

  #rejectWaiting(error: BoxError): void {
    this.#commits.rejectOthers(again(error))
    for (const entry of this.#commits.takeWaiting()) {
      this.#registry.release(entry)
      entry.reject(again(error))
    }
  }

  /** Resolves when the database can be read. */
  async #ready(): Promise<void> {
    await this.#attempt
    if (this.#failure && !this.#isReadable) throw again(this.#failure)
    if (this.#closing) throw closedError()
  }

  removedHead(box: string): Promise<Head | undefined> {
    return this.#reader.removedHead(box)
  }

  command(commandId: string): Promise<{ readonly box: string; readonly position: number } | undefined> {
    return this.#reader.command(commandId)
  }

  read(options?: ReadOptions): AsyncGenerator<LedgerRecord> {
    return this.#reader.read(options)
  }

  history(box: string): AsyncGenerator<LedgerRecord> {
    return this.#reader.history(box)
  }

  async adopt(): Promise<void> {
    await this.#reader.reading(db => settle(db, this.#ground.medium.identity(), this.#boundary))
    this.#isInert = false
  }

  verify(options: { readonly box?: string; readonly replay?: boolean } = {}): Promise<VerifyReport> {
    return this.#reader.reading(db =>
      verifyLedger(db, {
        ...options,
        tail: this.#tail,
        parked: this.#registry.parked,
        epoch: this.epoch,
        tailFile: this.#ground.tailFile,
        beside: { losses: this.#ground.loaded.losses, archive: this.#ground.archive },
      }),
    )
  }

  archive(before: number): Promise<ArchiveReport> {
    return this.#maintenance.archive(before)
  }

  compact(): Promise<CompactReport> {
    return this.#maintenance.compact()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { db, ownership, tailFile, lock } = this.#ground
    this.#closed.abort()
    try {
      await this.#maintenance.idle()
      if (!this.#failure) await this.#commits.idle()
      await this.#room
      await this.#recovery
      await this.#room
      this.#rejectWaiting(closedError())
      if (!this.#failure || this.#isReadable) {
        this.#boundary('before leaving the owner')
        await writeOwnership(db, { ...ownership, closed: new Date(this.#options.now()).toISOString() })
        this.#boundary('after leaving the owner')
      }
    } catch (error) {
      // All records are safe; the next owner will take this ownership for one that crashed, which costs it a look.
      if (storageError(error, '').code === 'LEDGER_CORRUPT') throw error
    } finally {
      await db.close().catch(() => {})
      tailFile.close()
      this.#boundary('before freeing the home')
      lock.release()
      this.#boundary('after freeing the home')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
