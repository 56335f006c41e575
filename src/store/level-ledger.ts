import { BoxError, type Head, type LedgerRecord } from '../machines/index.ts'
import { again, closedError, commitUnknown } from './answers.ts'
import { corrupt } from './chain.ts'
import { decodeHead, decodeSealed } from './codec.ts'
import type { Database } from './database.ts'
import type { Author, Entry, Placed } from './entry.ts'
import { GroupCommit } from './group-commit.ts'
import { loadRemovedHead } from './heads.ts'
import { type Ownership, writeOwnership } from './journal.ts'
import { commandKey, removedKey } from './keys.ts'
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
import type { Loaded } from './load.ts'
import type { Lock } from './lock.ts'
import { type Page, readBoxPage, readPage } from './read.ts'
import { ghostsAfter, reopen } from './recovery.ts'
import { Registry } from './registry.ts'
import { storageError } from './storage-error.ts'
import type { Tail, TailFile } from './tail-file.ts'
import { verifyLedger } from './verify.ts'

/** What an open ledger stands on; it closes all of it. */
export interface Ground {
  readonly db: Database
  readonly lock: Lock
  readonly tailFile: TailFile
  readonly ownership: Ownership
  readonly previous: PreviousOwner | undefined
  readonly loaded: Loaded
}

type Listener = (committed: readonly Committed[]) => void

const defaultMaxQueued = 16_384

export class LevelLedger implements Ledger {
  readonly epoch: number
  readonly previous: PreviousOwner | undefined
  readonly #ground: Ground
  readonly #options: OpenLedgerOptions
  readonly #registry = new Registry()
  readonly #commits: GroupCommit
  readonly #listeners = new Set<Listener>()
  #tail: Tail
  #failure: BoxError | undefined
  /** under way after a rejected group */
  #recovery: Promise<void> | undefined
  #closing: Promise<void> | undefined
  readonly #closed = new AbortController()

  constructor(ground: Ground, options: OpenLedgerOptions) {
    const { ownership, loaded, previous, db } = ground
    this.#ground = ground
    this.#options = options
    this.epoch = ownership.epoch
    this.previous = previous
    this.#tail = loaded.tail
    this.#registry.load(loaded.heads, loaded.parked, loaded.namesOfParked)
    const author: Author = { bootId: ownership.bootId, epoch: ownership.epoch, engine: ownership.engine }
    this.#commits = new GroupCommit(db, loaded.tail, {
      author,
      sync: options.durability !== 'process',
      aroundFlush: options.aroundFlush,
      onDurable: placed => this.#publish(placed),
      onRejected: (error, placed) => {
        this.#recovery = this.#recover(error, placed)
      },
    })
  }

  get tail(): Tail {
    return this.#tail
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
      const entry: Entry = { append, before: this.#registry.heads.get(append.box), resolve, reject }
      try {
        this.#commits.add(entry)
        this.#registry.claim(entry)
      } catch (cause) {
        reject(new BoxError('INVALID_ARGUMENT', 'The transition is not JSON', { cause }))
      }
    })
  }

  #refusal(append: Append): BoxError | undefined {
    if (this.#closing) return closedError()
    if (this.#failure) return again(this.#failure)
    if (!Number.isSafeInteger(append.at) || !/^[\w.-]+$/.test(append.box))
      return new BoxError('INVALID_ARGUMENT', 'A transition needs a time in whole ms and the ID of a box', {
        details: { at: append.at, box: append.box },
      })
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
    this.#tell(committed)
    for (const [n, one] of committed.entries()) placed[n]?.entry.resolve(one)
  }

  #tell(committed: readonly Committed[]): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(committed)
      } catch (error) {
        // A listener's mistake keeps nobody from hearing of the commit, and is not hidden either.
        setImmediate(() => {
          throw error
        })
      }
    }
  }

  onCommit(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * After a rejected write: the database is opened anew, what turned out to be there is told, callers learn that the
   * fate of their transitions was unknown, and what has waited goes on.
   */
  async #recover(cause: unknown, placed: readonly Placed[]): Promise<void> {
    const { db, tailFile, ownership } = this.#ground
    const before = this.#tail
    let undecided = placed
    const giveUp = () => {
      for (const { entry } of undecided) {
        this.#registry.release(entry)
        entry.reject(commitUnknown(entry, cause))
      }
      undecided = []
    }
    const loaded = await reopen(db, before, ownership, {
      signal: this.#closed.signal,
      onFailure: failure => {
        this.#failure = failure
        giveUp()
        this.#rejectWaiting(failure)
      },
    })
    if (loaded === undefined) {
      giveUp()
      this.#rejectWaiting(this.#failure ?? closedError())
      return
    }
    const ghosts = await ghostsAfter(before, loaded, db)
    this.#registry.load(loaded.heads, loaded.parked, loaded.namesOfParked)
    this.#tail = loaded.tail
    tailFile.write(loaded.tail)
    this.#failure = undefined
    this.#recovery = undefined
    if (ghosts.length > 0) this.#tell(ghosts)
    giveUp()
    this.#commits.resume(loaded.tail)
  }

  #rejectWaiting(error: BoxError): void {
    for (const entry of this.#commits.takeWaiting()) {
      this.#registry.release(entry)
      entry.reject(again(error))
    }
  }

  async removedHead(box: string): Promise<Head | undefined> {
    const head = await this.#reading(db => loadRemovedHead(db, box))
    if (head === 'damaged') throw corrupt(`The head of the removed box ${box} is damaged`, { box })
    return head
  }

  async command(commandId: string): Promise<{ readonly box: string; readonly position: number } | undefined> {
    const sealed = await this.#reading(db => db.get(commandKey(commandId)))
    if (sealed === undefined) return undefined
    const entry = decodeSealed(sealed) as { box: string; position: number } | undefined
    if (entry === undefined) throw corrupt(`The entry of command ${commandId} is damaged`, { commandId })
    return entry
  }

  async *read({ from = 1, to, box }: ReadOptions = {}): AsyncGenerator<LedgerRecord> {
    if (box !== undefined) {
      for await (const record of this.history(box)) {
        if (record.position > (to ?? Number.POSITIVE_INFINITY)) return
        if (record.position >= from) yield record
      }
      return
    }
    let next = Math.max(1, from)
    while (next <= Math.min(to ?? Number.POSITIVE_INFINITY, this.#tail.position)) {
      const { records, damage } = await this.#page(db =>
        readPage(db, next, to ?? Number.MAX_SAFE_INTEGER, this.#tail),
      )
      next += records.length
      yield* records
      if (damage) throw damage
    }
  }

  async *history(box: string): AsyncGenerator<LedgerRecord> {
    let next = 1
    let tail = this.#tail
    for (let ended = false; !ended; ) {
      tail = this.#tail
      const { records, damage } = await this.#page(db => readBoxPage(db, box, next, tail))
      next += records.length
      yield* records
      if (damage) throw damage
      ended = records.length === 0
    }
    const head = this.#registry.heads.get(box) ?? (await this.removedHead(box))
    // A head beyond the tail of the last page was committed meanwhile.
    if (head && head.version >= next && head.position <= tail.position)
      throw corrupt(`Version ${next} of box ${box} is missing`, { box, version: next })
  }

  #page(read: (db: Database) => Promise<Page>): Promise<Page> {
    return this.#reading(read)
  }

  /** Reads wait for a recovery, and are done again if one began under them. */
  async #reading<T>(read: (db: Database) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#failure) throw again(this.#failure)
      await this.#recovery
      if (this.#closing) throw closedError()
      try {
        return await read(this.#ground.db)
      } catch (error) {
        if (this.#closing) throw closedError()
        if (!this.#recovery) throw storageError(error, 'Reading the ledger')
      }
    }
  }

  verify(options: { readonly box?: string; readonly replay?: boolean } = {}): Promise<VerifyReport> {
    return this.#reading(db =>
      verifyLedger(db, {
        ...options,
        tail: this.#tail,
        parked: this.#registry.parked,
        epoch: this.epoch,
        tailFile: this.#ground.tailFile,
      }),
    )
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { db, ownership, tailFile, lock } = this.#ground
    this.#closed.abort()
    try {
      if (!this.#failure) await this.#commits.idle()
      await this.#recovery
      this.#rejectWaiting(closedError())
      if (!this.#failure)
        await writeOwnership(db, { ...ownership, closed: new Date(this.#options.now()).toISOString() })
    } catch (error) {
      // All records are safe; the next owner will take this ownership for one that crashed, which costs it a look.
      if (storageError(error, '').code === 'LEDGER_CORRUPT') throw error
    } finally {
      await db.close().catch(() => {})
      tailFile.close()
      lock.release()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
