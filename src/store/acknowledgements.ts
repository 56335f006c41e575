import { type BoxError, noBoundary } from '../machines/index.ts'
import { again } from './answers.ts'
import type { Reading } from './archive/over.ts'
import { decodeSealed, seal } from './codec.ts'
import type { Database } from './database.ts'
import { acknowledgementKey, acknowledgements, nameOfAcknowledgementKey } from './keys.ts'
import type { OpenLedgerOptions } from './ledger.ts'
import { entryPages } from './scan.ts'
import { storageError } from './storage-error.ts'

/** What a reader looks for. */
export interface Filter {
  /** one box only, by ID */
  readonly box?: string
  readonly types?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
}

/** How far a reader has come. */
export interface Acknowledgement {
  /** last position that it has acknowledged; 0: none */
  readonly acknowledged: number
  /** position that it began at */
  readonly from: number
  readonly filter: Filter
}

/** What is stored under a name; `damaged`: it cannot be read. */
export type Stored = Acknowledgement | 'damaged'

/** What has to be known of the ledger that they are kept beside. */
export interface Keeper {
  readonly db: Database
  readonly options: Pick<OpenLedgerOptions, 'durability' | 'boundary'>
  readonly reading: Reading
  /** writes something beside the chain, in turn with the records */
  readonly write: (write: () => Promise<void>) => Promise<void>
  /** why nothing can be written, if so */
  readonly refusal: () => BoxError | undefined
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: BoxError) => void
}

/**
 * How far readers have come, by name. Read once, then known: a home has one owner. What changes while a write is under
 * way goes into the next one, as a whole.
 */
export class Acknowledgements {
  readonly #keeper: Keeper
  #loading: Promise<Map<string, Stored>> | undefined
  #changed = new Map<string, Acknowledgement | undefined>()
  #waiters: Waiter[] = []
  #isWriting = false

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  /** All of them, those included that are on their way to the disk. */
  async all(): Promise<ReadonlyMap<string, Stored>> {
    return this.#load()
  }

  /**
   * Changes what is kept under a name to what `decide` makes of it: undefined forgets it, the same changes nothing. Resolves
   * when that is durable. Rejects with `NO_SPACE`, `ENGINE_CLOSED` or `ENGINE_FAILED`: it is kept then, or not.
   */
  async change(
    name: string,
    decide: (now: Stored | undefined, all: ReadonlyMap<string, Stored>) => Stored | undefined,
  ): Promise<void> {
    const entries = await this.#load()
    const refusal = this.#keeper.refusal()
    if (refusal) throw refusal
    const before = entries.get(name)
    const after = decide(before, entries)
    if (after !== before && after !== 'damaged') {
      if (after === undefined) entries.delete(name)
      else entries.set(name, after)
      this.#changed.set(name, after)
    } else if (!this.#isWriting) return
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      if (!this.#isWriting) void this.#write()
    })
  }

  async #load(): Promise<Map<string, Stored>> {
    for (;;) {
      this.#loading ??= this.#keeper.reading(loadAcknowledgements)
      const loading = this.#loading
      const loaded = await loading.catch(error => {
        if (this.#loading === loading) this.#loading = undefined
        throw error
      })
      // Else a write was rejected meanwhile, and what is known is not what is kept.
      if (this.#loading === loading) return loaded
    }
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    while (this.#waiters.length > 0) {
      const changed = this.#changed
      const waiters = this.#waiters
      this.#changed = new Map()
      this.#waiters = []
      try {
        const refusal = this.#keeper.refusal()
        if (refusal) throw refusal
        if (changed.size > 0) await this.#keeper.write(() => this.#put(changed))
        for (const { resolve } of waiters) resolve()
      } catch (error) {
        const told = [...waiters, ...this.#waiters]
        this.#changed = new Map()
        this.#waiters = []
        this.#loading = undefined
        for (const { reject } of told) reject(again(storageError(error, 'Keeping an acknowledged position')))
      }
    }
    this.#isWriting = false
  }

  async #put(changed: ReadonlyMap<string, Acknowledgement | undefined>): Promise<void> {
    const { db, options } = this.#keeper
    const { durability, boundary = noBoundary } = options
    boundary('before keeping acknowledgements')
    await db.batch([...changed].map(operationOf), { sync: durability !== 'process' })
    boundary('after keeping acknowledgements')
  }
}

function operationOf([name, entry]: readonly [string, Acknowledgement | undefined]) {
  const key = acknowledgementKey(name)
  return entry === undefined
    ? ({ type: 'del', key } as const)
    : ({ type: 'put', key, value: seal(JSON.stringify(entry)) } as const)
}

async function loadAcknowledgements(db: Database): Promise<Map<string, Stored>> {
  const entries = new Map<string, Stored>()
  for await (const page of entryPages(db, acknowledgements))
    for (const [key, sealed] of page)
      entries.set(nameOfAcknowledgementKey(key), acknowledgementOf(sealed) ?? 'damaged')
  return entries
}

/** Undefined if it is none, or is damaged. */
export function acknowledgementOf(sealed: string): Acknowledgement | undefined {
  const entry = decodeSealed(sealed) as Partial<Acknowledgement> | undefined
  if (entry === undefined) return undefined
  const { acknowledged, from, filter } = entry
  const isSound =
    Number.isSafeInteger(acknowledged) &&
    Number(acknowledged) >= 0 &&
    Number.isSafeInteger(from) &&
    Number(from) >= 1 &&
    isFilter(filter)
  return isSound ? (entry as Acknowledgement) : undefined
}

function isFilter(value: unknown): value is Filter {
  if (typeof value !== 'object' || value === null) return false
  const { box, types, labels } = value as Record<string, unknown>
  const isText = (text: unknown) => typeof text === 'string'
  return (
    (box === undefined || isText(box)) &&
    (types === undefined || (Array.isArray(types) && types.every(isText))) &&
    (labels === undefined ||
      (typeof labels === 'object' && labels !== null && Object.values(labels).every(isText)))
  )
}
