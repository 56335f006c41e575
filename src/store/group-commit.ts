import { type Batch, type Database, newBatch } from './database.ts'
import { type Author, type Entry, type Placed, place } from './entry.ts'
import type { Tail } from './tail-file.ts'

interface Group {
  readonly batch: Batch
  readonly placed: Placed[]
  size: number
}

/** A write that is no transition. */
interface Other {
  readonly write: () => Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface GroupCommitOptions {
  readonly author: Author
  readonly sync: boolean
  /** writes a group; see `OpenLedgerOptions.aroundFlush` */
  readonly aroundFlush: ((write: () => Promise<void>) => Promise<void>) | undefined
  /** a group is durable; called in the order of positions */
  readonly onDurable: (placed: readonly Placed[]) => void
  /** a group was rejected: its fate is unknown. Everything else is kept until `resume` */
  readonly onRejected: (error: unknown, placed: readonly Placed[]) => void
}

/**
 * Groups that are full are written while the next one fills: about the time of one sync on a fast disk, so that the
 * disk and the processor work at the same time.
 */
const maxPlaced = 256
const maxSize = 1 << 20

/**
 * One write is in flight, everything that arrives meanwhile goes into the next. A transition gets its place in the
 * chain, its bytes and its hashes as it arrives, while the disk is busy with those before it.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #db: Database
  /** last place given away, durable or not */
  #tail: Tail
  #filling: Group | undefined
  #full: Group[] = []
  #others: Other[] = []
  #flying: Group | Other | undefined
  #scheduled = false
  #paused = false
  /** arrived while paused */
  #waiting: Entry[] = []
  #length = 0
  #idle: (() => void)[] = []
  #author: Author
  #time = Number.NaN
  #iso = ''

  constructor(db: Database, tail: Tail, options: GroupCommitOptions) {
    this.#db = db
    this.#tail = tail
    this.#options = options
    this.#author = options.author
  }

  /** transitions that are not durable yet */
  get length(): number {
    return this.#length
  }

  add(entry: Entry): void {
    if (this.#paused) this.#waiting.push(entry)
    else this.#place(entry)
    this.#length += 1
  }

  /**
   * Writes something beside the chain, in turn with the groups: rejected, it is as grave as one of theirs. Resolves when
   * that is done.
   */
  other(write: () => Promise<void>): Promise<void> {
    this.#length += 1
    return new Promise((resolve, reject) => {
      this.#others.push({ write, resolve, reject })
      if (this.#flying === undefined && !this.#scheduled) this.#schedule()
    })
  }

  /** Goes on after a rejected group, from the tail that turned out to be durable. */
  resume(tail: Tail): void {
    this.#tail = tail
    this.#paused = false
    for (const entry of this.#waiting.splice(0)) this.#place(entry)
    if (this.#others.length > 0 && !this.#scheduled) this.#schedule()
    this.#tellIfIdle()
  }

  /** Begins behind what was imported, as another ownership. Nothing must be under way. */
  beginAt(tail: Tail, author: Author): void {
    this.#tail = tail
    this.#author = author
  }

  /** Gives up what was to be written beside the chain. */
  rejectOthers(error: unknown): void {
    this.#length -= this.#others.length
    for (const { reject } of this.#others.splice(0)) reject(error)
    this.#tellIfIdle()
  }

  /** Hands out everything that waits while paused. */
  takeWaiting(): Entry[] {
    this.#length -= this.#waiting.length
    const taken = this.#waiting.splice(0)
    this.#tellIfIdle()
    return taken
  }

  /** Resolves when nothing is left to write. */
  idle(): Promise<void> {
    if (this.#length === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  #place(entry: Entry): void {
    this.#filling ??= { batch: newBatch(this.#db), placed: [], size: 0 }
    const group = this.#filling
    const at = this.#isoOf(entry.append.at)
    const placed = place(entry, this.#tail, at, this.#author, group.batch)
    this.#tail = placed.record
    group.placed.push(placed)
    group.size += placed.size
    if (group.placed.length >= maxPlaced || group.size >= maxSize) {
      this.#full.push(group)
      this.#filling = undefined
    }
    if (this.#flying === undefined && !this.#scheduled) this.#schedule()
  }

  /** Many transitions share a millisecond, and formatting one costs as much as hashing a record. */
  #isoOf(time: number): string {
    if (time !== this.#time) {
      this.#iso = new Date(time).toISOString()
      this.#time = time
    }
    return this.#iso
  }

  /** Not at once: callers that the last flush has answered are still about to hand in their next transition. */
  #schedule(): void {
    this.#scheduled = true
    queueMicrotask(() =>
      process.nextTick(() => {
        this.#scheduled = false
        this.#flush()
      }),
    )
  }

  #flush(): void {
    if (this.#flying !== undefined || this.#paused) return
    const other = this.#others.shift()
    if (other !== undefined) {
      this.#flushOther(other)
      return
    }
    const group = this.#full.shift() ?? this.#filling
    if (group === undefined) return
    if (group === this.#filling) this.#filling = undefined
    this.#flying = group
    this.#write(group).then(
      () => this.#settle(group),
      error => this.#fail(error, group),
    )
  }

  #flushOther(other: Other): void {
    this.#flying = other
    this.#around(other.write).then(
      () => {
        this.#flying = undefined
        this.#length -= 1
        this.#flush()
        other.resolve()
        this.#tellIfIdle()
      },
      error => {
        this.#length -= 1
        this.#pause(error, [])
        other.reject(error)
      },
    )
  }

  #write({ batch }: Group): Promise<void> {
    const { sync } = this.#options
    return this.#around(() => batch.write({ sync }))
  }

  #around(write: () => Promise<void>): Promise<void> {
    const { aroundFlush } = this.#options
    return aroundFlush ? aroundFlush(write) : write()
  }

  #settle(group: Group): void {
    this.#flying = undefined
    this.#length -= group.placed.length
    // The next group goes to the disk before this one's callers come back with more work.
    this.#flush()
    this.#options.onDurable(group.placed)
    this.#tellIfIdle()
  }

  #fail(error: unknown, group: Group): void {
    this.#length -= group.placed.length
    this.#pause(error, group.placed)
  }

  #pause(error: unknown, rejected: readonly Placed[]): void {
    this.#paused = true
    this.#flying = undefined
    const rest = [...this.#full, ...(this.#filling ? [this.#filling] : [])]
    this.#full = []
    this.#filling = undefined
    // Their places hang on the rejected group: they get new ones.
    this.#waiting = rest.flatMap(({ placed }) => placed.map(({ entry }) => entry))
    this.#options.onRejected(error, rejected)
  }

  #tellIfIdle(): void {
    if (this.#length === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
