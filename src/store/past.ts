import {
  BoxError,
  type BoxState,
  type Head,
  type LedgerRecord,
  partsOf,
  replay,
  streamOf,
} from '../machines/index.ts'
import { corrupt } from './chain.ts'
import { checkpointBefore } from './checkpoints.ts'
import type { Database } from './database.ts'
import { bodiesOf, bodiesOfExecutions, partsOfBodyKey } from './keys.ts'
import { pageSize, readPlaces, readStreamPage } from './read.ts'
import type { Reader } from './reader.ts'
import { keyPages } from './scan.ts'

/**
 * A moment in the history of a box: after its record of that version, after its last one up to a position, or by the
 * clock, in `ms since 1970`. Where the clock went back, there may be several moments of one time: it is then after a
 * record up to that time which a later one follows.
 */
export type Moment = { readonly version: number } | { readonly position: number } | { readonly time: number }

/** A box as it was; nothing of it says what was recorded later. */
export type PastHead = Omit<Head, 'bodyHash' | 'executions'>

/** Looks back in a ledger: at most a few hundred records are read for a state, however many there are. */
export class Past {
  readonly #reader: Reader

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /**
   * A box at a moment; undefined: there is no such version, or the box was not there yet. Rejects with `LEDGER_CORRUPT`
   * where a record that leads there is damaged, and with `UNSUPPORTED` where the machine of today does not come to what
   * was recorded.
   */
  headAt(box: string, moment: Moment): Promise<PastHead | undefined> {
    return this.#reader.reading(async db => {
      const version = await this.#versionAt(db, box, moment)
      return version === undefined ? undefined : this.#fold(db, box, version)
    })
  }

  /** One record of a stream, proven; undefined: there is none of that version. */
  recordAt(stream: string, version: number): Promise<LedgerRecord | undefined> {
    return this.#reader.reading(db => this.#recordAt(db, stream, version))
  }

  /** How many executions a box had begun up to a position. Reads the keys of all it has had. */
  executionsUntil(box: string, position: number): Promise<number> {
    return this.#reader.reading(async db => {
      let count = 0
      for await (const page of keyPages(db, bodiesOfExecutions(box)))
        for (const key of page) {
          const parts = partsOfBodyKey(key)
          if (parts.version === 1 && parts.position <= position) count += 1
        }
      return count
    })
  }

  async #versionAt(db: Database, box: string, moment: Moment): Promise<number | undefined> {
    const last = (await this.#reader.versionOf(box)) || (await lastVersion(db, box))
    if ('version' in moment) return moment.version <= last ? moment.version : undefined
    const isReached = async (version: number) => {
      const record = await this.#recordAt(db, box, version)
      if (record === undefined) throw corrupt(`Version ${version} of ${box} is missing`, { box, version })
      return 'position' in moment ? record.position <= moment.position : Date.parse(record.at) <= moment.time
    }
    if (last === 0 || (await isReached(last))) return last || undefined
    let [reached, beyond] = [0, last]
    while (beyond - reached > 1) {
      const middle = Math.floor((reached + beyond) / 2)
      if (await isReached(middle)) reached = middle
      else beyond = middle
    }
    return reached || undefined
  }

  async #fold(db: Database, box: string, version: number): Promise<PastHead> {
    const { tail, beside } = this.#reader.ground()
    const checkpoint = await checkpointBefore(db, box, version)
    let head = checkpoint && withoutHash(checkpoint)
    while ((head?.version ?? 0) < version) {
      const next = (head?.version ?? 0) + 1
      const limit = Math.min(pageSize, version - next + 1)
      const { records, damage } = await readStreamPage(db, box, next, tail, beside, limit)
      for (const record of records) head = after(head, record)
      if (damage) throw damage
      if (records.length === 0) throw corrupt(`Version ${next} of ${box} is missing`, { box, version: next })
    }
    return head as PastHead
  }

  async #recordAt(db: Database, stream: string, version: number): Promise<LedgerRecord | undefined> {
    const { tail, beside } = this.#reader.ground()
    const position = await findPosition(db, stream, version)
    if (position === undefined || position > tail.position) return undefined
    const { records, damage } = await readPlaces(db, [position], tail, beside)
    if (damage) throw damage
    const [record] = records
    const belongs = record !== undefined && streamOf(record) === stream && record.version === version
    if (!belongs) throw corrupt(`Version ${version} of ${stream} is missing`, { ...partsOf(stream), version })
    return record
  }
}

function after(head: PastHead | undefined, record: LedgerRecord): PastHead {
  const { box, version, position, at, event } = record
  const state = replay(head?.state, record) as BoxState | undefined
  if (state === undefined)
    throw new BoxError(
      'UNSUPPORTED',
      `The machine of today does not come to what was recorded as version ${version} of box ${box}`,
      { details: { box, version, position } },
    )
  return {
    box,
    version,
    position,
    createdPosition: head?.createdPosition ?? position,
    updatedAt: Date.parse(at),
    lastEvent: event.type,
    state,
  }
}

function withoutHash({ bodyHash: _, ...head }: Head): PastHead {
  return head
}

/** Of a box whose head is lost. Of others the head tells: keys can be damaged, or of a record that is not told yet. */
async function lastVersion(db: Database, box: string): Promise<number> {
  const [key] = await db.keys({ ...bodiesOf(box), reverse: true, limit: 1 }).all()
  return key === undefined ? 0 : partsOfBodyKey(key).version
}

async function findPosition(db: Database, stream: string, version: number): Promise<number | undefined> {
  const [key] = await db.keys({ ...bodiesOf(stream, version), limit: 1 }).all()
  const found = key === undefined ? undefined : partsOfBodyKey(key)
  return found?.version === version ? found.position : undefined
}
