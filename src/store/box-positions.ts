import { corrupt } from './chain.ts'
import { decodeFrame, decodeHead } from './codec.ts'
import type { Database } from './database.ts'
import { bodiesOf, bodiesOfExecutions, frameKey, headKey, partsOfBodyKey, removedKey } from './keys.ts'
import { keyPages } from './scan.ts'

/** Where the records of a box and of its executions are, in the order of positions. */
export interface BoxPositions {
  /** without what may come behind a record that is missing */
  readonly positions: Float64Array
  /** a record is missing behind the last position */
  readonly damage?: ReturnType<typeof corrupt>
}

/** What heads and counts tell of a box. */
export interface Expected {
  /** of its last record */
  readonly version: number
  /** how many executions it has begun */
  readonly executions: number
}

/** The last record of a stream that was found, and that its frame confirms. */
interface End {
  stream: string
  version: number
  position: number
}

interface Gap {
  /** the first that the missing record may have had */
  readonly position: number
  readonly stream: string
  readonly version: number
}

const endsAtOnce = 512

/**
 * Reads keys, the frames that they lead to, and the heads of executions; eight bytes a record are held, however many
 * executions a box has had. A damaged key may lead anywhere: it counts only where its frame says the same.
 */
export async function positionsOf(
  db: Database,
  box: string,
  to: number,
  expected: Expected = { version: 0, executions: 0 },
): Promise<BoxPositions> {
  const search = new Search(db, to)
  const own = await search.follow(bodiesOf(box))
  const executions = search.streams
  await search.follow(bodiesOfExecutions(box))
  await search.settle()
  if (own.version < expected.version)
    search.note({ position: own.position + 1, stream: box, version: own.version + 1 })
  if (search.streams - executions < expected.executions)
    return {
      positions: new Float64Array(),
      damage: corrupt(`An execution of box ${box} is missing`, { box }),
    }
  const positions = search.sorted()
  const { gap } = search
  if (gap === undefined) return { positions }
  const { position, stream, version } = gap
  return {
    positions: positions.filter(at => at < position),
    damage: corrupt(`Version ${version} of ${stream} is missing`, { box, version }),
  }
}

class Search {
  /** how many streams were found */
  streams = 0
  /** of all that is missing, what may come first */
  gap: Gap | undefined
  readonly #db: Database
  readonly #to: number
  #ends: End[] = []
  #found = new Float64Array(1_024)
  #count = 0

  constructor(db: Database, to: number) {
    this.#db = db
    this.#to = to
  }

  /** Takes all keys of a range, stream by stream. Gives the end of the last stream. */
  async follow(range: ReturnType<typeof bodiesOf>): Promise<End> {
    let end: End = { stream: '', version: 0, position: 0 }
    for await (const keys of keyPages(this.#db, range)) {
      const page = keys.map(partsOfBodyKey).filter(({ position }) => !(position > this.#to))
      const frames: (string | undefined)[] = await this.#db.getMany(
        page.map(({ position }) => frameKey(position || 0)),
      )
      for (const [n, { box: stream, version, position }] of page.entries()) {
        if (stream !== end.stream) {
          end = { stream, version: 0, position: 0 }
          this.#ends.push(end)
          this.streams += 1
        }
        const frame = decodeFrame(frames[n])
        const isConfirmed = frame === undefined || (frame.box === stream && frame.version === version)
        if (!isConfirmed || version !== end.version + 1 || !(position > end.position))
          this.note({ position: end.position + 1, stream, version: end.version + 1 })
        if (!isConfirmed || !(position > end.position)) continue
        end.version = version
        end.position = position
        this.#add(position)
      }
      if (this.#ends.length > endsAtOnce) await this.settle(end)
    }
    return end
  }

  /** Whether streams end where their heads say, but for the one that goes on. */
  async settle(open?: End): Promise<void> {
    const ends = this.#ends.filter(end => end !== open)
    this.#ends = open === undefined ? [] : [open]
    const keys = ends.flatMap(({ stream }) => [removedKey(stream), headKey(stream)])
    const sealed: (string | undefined)[] = await this.#db.getMany(keys)
    for (const [n, { stream, version, position }] of ends.entries()) {
      const head = decodeHead(sealed[2 * n]) ?? decodeHead(sealed[2 * n + 1])
      const isLost = head !== undefined && head.version > version && head.position <= this.#to
      if (isLost) this.note({ position: position + 1, stream, version: version + 1 })
    }
  }

  note(gap: Gap): void {
    if (this.gap === undefined || gap.position < this.gap.position) this.gap = gap
  }

  sorted(): Float64Array {
    return this.#found.subarray(0, this.#count).sort()
  }

  #add(position: number): void {
    if (this.#count === this.#found.length) {
      const more = new Float64Array(2 * this.#count)
      more.set(this.#found)
      this.#found = more
    }
    this.#found[this.#count] = position
    this.#count += 1
  }
}
