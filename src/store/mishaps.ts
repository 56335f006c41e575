import { type Boundary, BoxError } from '../machines/index.ts'
import { again, closedError } from './answers.ts'
import type { Placed } from './entry.ts'
import type { Ground } from './ground.ts'
import { writeOwnership } from './journal.ts'
import type { Committed, Pause } from './ledger.ts'
import type { Loaded } from './load.ts'
import { ghostsAfter, reopen, waitForRoom } from './recovery.ts'
import type { Tail } from './tail-file.ts'

/** What an open ledger does when its disk fails, and when it works again. */
export interface Stricken {
  tail(): Tail
  /** The fate of these is not known to their callers. */
  giveUp(placed: readonly Placed[], cause: unknown): void
  /** Everything that waits to be written is answered with this. */
  rejectWaiting(error: BoxError): void
  /** Takes what was found on the disk. */
  load(loaded: Loaded): void
  /** Tells records that turned out to be there, though their write was rejected. */
  tell(ghosts: readonly Committed[]): void
  /** Writes what has waited. */
  goOn(tail: Tail): void
}

interface Ways {
  readonly pause: Pause | undefined
  readonly boundary: Boundary
}

/** A disk that fails or is full: what can be done meanwhile, and the way back. */
export class Mishaps {
  readonly #ground: Ground
  readonly #ways: Ways
  readonly #ledger: Stricken
  readonly #abort = new AbortController()
  #failure: BoxError | undefined
  /** waits for room on a full disk; nothing is written meanwhile */
  #room: Promise<void> | undefined
  /** it takes no writes, but can be read */
  #isReadable = false
  /** under way after a rejected group; never while it waits for room */
  #recovery: Promise<void> | undefined
  /** the recovery has ended, or has failed once and goes on trying */
  #attempt: Promise<void> | undefined

  constructor(ground: Ground, ways: Ways, ledger: Stricken) {
    this.#ground = ground
    this.#ways = ways
    this.#ledger = ledger
  }

  /** why nothing is written; undefined: all is well, or will be told as soon as it is known */
  get failure(): BoxError | undefined {
    return this.#failure
  }

  get isRecovering(): boolean {
    return this.#recovery !== undefined
  }

  /** Whether the database answers: in order, or without room only. */
  get isUsable(): boolean {
    return this.#failure === undefined || this.#isReadable
  }

  /** aborted as soon as the ledger closes */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /**
   * After a rejected write: the database is opened anew, what turned out to be there is told, callers learn that the
   * fate of their transitions was unknown, and what has waited goes on.
   */
  recover(cause: unknown, placed: readonly Placed[]): void {
    this.#attempt = new Promise(resolve => {
      this.#recovery = this.#reopen(cause, placed, resolve).finally(resolve)
    })
  }

  /** While the disk is full the ledger can be read, and takes nothing: the next write could be the last to open it. */
  waitForRoom(): void {
    this.#room = this.#untilRoom()
  }

  /** Resolves when the database can be read. */
  async ready(): Promise<void> {
    await this.#attempt
    if (this.#failure && !this.#isReadable) throw again(this.#failure)
  }

  /** No more attempts. */
  close(): void {
    this.#abort.abort()
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#room
    await this.#recovery
    await this.#room
  }

  async #reopen(cause: unknown, placed: readonly Placed[], onFailure: () => void): Promise<void> {
    const { db, tailFile, medium, archive, schema, ownership } = this.#ground
    const before = this.#ledger.tail()
    let undecided = placed
    const giveUp = () => {
      this.#ledger.giveUp(undecided, cause)
      undecided = []
    }
    const reopened = await reopen(db, before, ownership, {
      ballast: medium.ballast,
      archive,
      schema,
      signal: this.signal,
      ...this.#ways,
      onFailure: failure => {
        this.#failure = failure
        giveUp()
        this.#ledger.rejectWaiting(failure)
        onFailure()
      },
    })
    if (reopened === undefined) {
      giveUp()
      this.#ledger.rejectWaiting(this.#failure ?? closedError())
      return
    }
    const { loaded, isFull } = reopened
    const ghosts = await ghostsAfter(before, loaded, db, { archive, schema })
    this.#ledger.load(loaded)
    tailFile.write(loaded.tail)
    this.#failure = undefined
    this.#recovery = undefined
    if (ghosts.length > 0) this.#ledger.tell(ghosts)
    giveUp()
    if (isFull) this.waitForRoom()
    this.#ledger.goOn(loaded.tail)
  }

  async #untilRoom(): Promise<void> {
    const { medium, db, ownership } = this.#ground
    this.#isReadable = true
    this.#failure = new BoxError(
      'NO_SPACE',
      'The disk is full. Free some space; writing goes on by itself then',
    )
    this.#ledger.rejectWaiting(this.#failure)
    if (!(await waitForRoom(medium.ballast, this.signal, this.#ways.pause))) return
    try {
      await writeOwnership(db, ownership)
      this.#failure = undefined
    } catch (error) {
      // LevelDB remembers that a compaction failed, and has to be opened anew.
      this.recover(error, [])
    }
    this.#isReadable = false
  }
}
