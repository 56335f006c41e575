import {
  type Boundary,
  type BoxError,
  type ExecutionHead,
  type Head,
  type LedgerRecord,
  noBoundary,
} from '../machines/index.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { Admission } from './admission.ts'
import { closedError } from './answers.ts'
import type { ArchiveReport } from './archive/report.ts'
import type { Beside } from './beside.ts'
import type { CompactReport } from './compact.ts'
import type { Database } from './database.ts'
import { authorOf, type Placed } from './entry.ts'
import type { Ground } from './ground.ts'
import { GroupCommit } from './group-commit.ts'
import { settle } from './home.ts'
import { Imports } from './import/imports.ts'
import type { ImportReport } from './import/report.ts'
import { leave } from './leave.ts'
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
import { Maintenance } from './maintenance.ts'
import { Mishaps } from './mishaps.ts'
import { Past } from './past.ts'
import { Reader } from './reader.ts'
import { Registry } from './registry.ts'
import type { Tail } from './tail-file.ts'
import { verifyLedger } from './verify/verify.ts'

export class LevelLedger implements Ledger {
  readonly previous: PreviousOwner | undefined
  readonly past: Past
  readonly acknowledgements: Acknowledgements
  readonly #ground: Ground
  readonly #options: OpenLedgerOptions
  readonly #boundary: Boundary
  readonly #registry = new Registry()
  readonly #commits: GroupCommit
  readonly #reader: Reader
  readonly #maintenance: Maintenance
  readonly #listeners = new Listeners()
  readonly #mishaps: Mishaps
  readonly #admission: Admission
  readonly #imports: Imports
  #isInert: boolean
  #tail: Tail
  #closing: Promise<void> | undefined

  constructor(ground: Ground, options: OpenLedgerOptions) {
    const { ownership, loaded, previous, db, isAtHome } = ground
    this.#ground = ground
    this.#options = options
    this.#boundary = options.boundary ?? noBoundary
    this.previous = previous
    this.#isInert = !isAtHome
    this.#tail = loaded.tail
    this.#registry.load(loaded)
    this.#admission = new Admission({
      db,
      registry: this.#registry,
      commits: () => this.#commits,
      mishaps: () => this.#mishaps,
      maxQueued: options.maxQueued,
      importing: () => this.#imports.refusal,
      isClosing: () => this.#closing !== undefined,
    })
    this.#mishaps = new Mishaps(
      ground,
      { pause: options.pause, boundary: this.#boundary },
      {
        tail: () => this.#tail,
        giveUp: (placed, cause) => this.#admission.giveUp(placed, cause),
        rejectWaiting: error => this.#admission.rejectWaiting(error),
        load: anew => {
          this.#registry.load(anew)
          this.#tail = anew.tail
        },
        tell: ghosts => this.#listeners.tell(ghosts),
        goOn: tail => this.#admission.goOn(tail),
      },
    )
    this.#commits = new GroupCommit(db, loaded.tail, {
      author: authorOf(ownership, ground.schema),
      sync: options.durability !== 'process',
      aroundFlush: options.aroundFlush,
      onDurable: placed => this.#publish(placed),
      onRejected: (error, placed) => this.#mishaps.recover(error, placed),
    })
    this.#reader = new Reader(db, {
      beside: () => this.#beside,
      tail: () => this.#tail,
      head: box => this.#registry.heads.get(box),
      executions: box => this.#registry.executionsOf(box),
      ready: () => this.#ready(),
    })
    this.past = new Past(this.#reader)
    const beside = {
      db,
      options,
      reading: <T>(read: (db: Database) => Promise<T>) => this.#reader.reading(read),
      write: (write: () => Promise<void>) => this.#commits.other(write),
      refusal: () => this.#admission.outage(),
    }
    this.acknowledgements = new Acknowledgements(beside)
    this.#maintenance = new Maintenance({
      ...beside,
      archive: ground.archive,
      parked: () => this.#registry.parked,
      closed: this.#mishaps.signal,
    })
    this.#imports = new Imports(ground, options, {
      refusal: () =>
        this.#admission.outage() ?? this.#imports.notEmpty(this.#tail.position + this.#commits.length),
      write: write => this.#commits.other(write),
      closed: this.#mishaps.signal,
      begin: imported => {
        this.#isInert = true
        this.#registry.load(imported)
        this.#tail = imported.tail
        this.#commits.beginAt(imported.tail, authorOf(ground.ownership, ground.schema))
        ground.tailFile.sync(imported.tail)
      },
    })
    if (ground.isFull) this.#mishaps.waitForRoom()
  }

  get epoch(): number {
    return this.#ground.ownership.epoch
  }

  get tail(): Tail {
    return this.#tail
  }

  get isInert(): boolean {
    return this.#isInert
  }

  get #beside(): Beside {
    const { loaded, archive, schema } = this.#ground
    return { losses: loaded.losses, archive, schema }
  }

  get parked(): ReadonlyMap<string, Parked> {
    return this.#registry.parked
  }

  get failure(): BoxError | undefined {
    return this.#mishaps.failure
  }

  heads(): Iterable<Head> {
    return this.#registry.boxes()
  }

  head(box: string): Head | undefined {
    return this.#registry.box(box)
  }

  executions(): Iterable<ExecutionHead> {
    return this.#registry.executions()
  }

  execution(stream: string): ExecutionHead | undefined {
    return this.#registry.execution(stream)
  }

  executionsOf(box: string): number {
    return this.#registry.executionsOf(box)
  }

  claimant(name: string): string | undefined {
    return this.#registry.claimant(name)
  }

  append(append: Append): Promise<Committed> {
    return this.#admission.append(append)
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

  async #ready(): Promise<void> {
    await this.#mishaps.ready()
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

  history(stream: string): AsyncGenerator<LedgerRecord> {
    return this.#reader.history(stream)
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
        beside: this.#beside,
      }),
    )
  }

  export(o: { readonly box?: string; readonly upTo?: Tail } = {}): AsyncGenerator<string[], void, undefined> {
    return this.#reader.export({ ...o, parked: this.#registry.parked })
  }

  import(lines: AsyncIterable<string>): Promise<ImportReport> {
    return this.#imports.take(lines)
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

  #close(): Promise<void> {
    this.#mishaps.close()
    return leave(this.#ground, {
      boundary: this.#boundary,
      closed: () => new Date(this.#options.now()).toISOString(),
      settled: async () => {
        await this.#imports.idle()
        await this.#maintenance.idle()
        if (!this.failure) await this.#commits.idle()
        await this.#mishaps.idle()
        this.#admission.rejectWaiting(closedError())
        return this.#mishaps.isUsable
      },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
