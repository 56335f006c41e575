import { setTimeout as delay } from 'node:timers/promises'
import { BoxError, type Head, type LedgerRecord } from '../machines/index.ts'
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
import { type Loaded, load } from './load.ts'
import type { Lock } from './lock.ts'
import { type Page, readBoxPage, readPage } from './read.ts'
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
const firstRetryMs = 100
const lastRetryMs = 5_000

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
   * After a rejected write nothing that LevelDB says can be relied on: it has accepted, and lost, later writes.
   *
   * 1. close it and open it again, until that works and a synced write does;
   * 2. prove the end of the chain and load the heads;
   * 3. tell what turned out to be there after all;
   * 4. tell the callers that the fate of their transitions was unknown;
   * 5. go on with what has waited.
   */
  async #recover(cause: unknown, unknown: readonly Placed[]): Promise<void> {
    const before = this.#tail
    let undecided = unknown
    const giveUp = (why: unknown) => {
      for (const { entry } of undecided) {
        this.#registry.release(entry)
        entry.reject(commitUnknown(entry, why))
      }
      undecided = []
    }
    let loaded: Loaded | undefined
    for (let wait = firstRetryMs; loaded === undefined; wait = Math.min(wait * 2, lastRetryMs)) {
      try {
        loaded = await this.#reopen()
      } catch (error) {
        this.#failure = storageError(error, 'The ledger could not be opened again after a failed write')
        giveUp(cause)
        this.#rejectWaiting(this.#failure)
        if (this.#failure.code === 'LEDGER_CORRUPT') return
        await delay(wait, undefined, { signal: this.#closed.signal, ref: false }).catch(() => {})
      }
      if (this.#closing && loaded === undefined) return this.#rejectWaiting(closedError())
    }
    this.#registry.load(loaded.heads, loaded.parked, loaded.namesOfParked)
    this.#tail = loaded.tail
    this.#failure = undefined
    const ghosts = await this.#ghosts(before.position + 1, loaded.tail)
    giveUp(cause)
    this.#recovery = undefined
    if (ghosts.length > 0) this.#tell(ghosts)
    this.#commits.resume(loaded.tail)
  }

  async #reopen(): Promise<Loaded> {
    const { db, tailFile, ownership } = this.#ground
    await db.close()
    await db.open()
    const loaded = await load(db, this.#tail)
    await writeOwnership(db, ownership)
    tailFile.write(loaded.tail)
    return loaded
  }

  async #ghosts(from: number, tail: Tail): Promise<Committed[]> {
    const ghosts: Committed[] = []
    for (let next = from; next <= tail.position; ) {
      const { records, damage } = await readPage(this.#ground.db, next, tail.position, tail)
      for (const record of records) {
        const head =
          this.#registry.heads.get(record.box) ?? (await loadRemovedHead(this.#ground.db, record.box))
        if (head && head !== 'damaged') ghosts.push({ record, head })
      }
      if (damage) break
      next += records.length
    }
    return ghosts
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
    for (;;) {
      const { records, damage } = await this.#page(db => readBoxPage(db, box, next, this.#tail))
      next += records.length
      yield* records
      if (damage) throw damage
      if (records.length === 0) break
    }
    const head = this.#registry.heads.get(box) ?? (await this.removedHead(box))
    if (head && head.version >= next && head.position <= this.#tail.position)
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

function closedError(): BoxError {
  return new BoxError('ENGINE_CLOSED', 'The ledger is closed')
}

/** A new error for each caller: one that is shared would show the stack of somebody else. */
function again(error: BoxError): BoxError {
  return new BoxError(error.code, error.message, { details: error.details, cause: error.cause })
}

function commitUnknown({ append }: Entry, cause: unknown): BoxError {
  const { commandId } = append.meta
  return new BoxError(
    'COMMIT_UNKNOWN',
    'The write failed, and whether the transition is recorded is not known to its caller. Ask again with the same command ID',
    { details: { box: append.box, ...(commandId === undefined ? {} : { commandId }) }, cause },
  )
}
