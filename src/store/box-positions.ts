import { corrupt } from './chain.ts'
import { decodeHead } from './codec.ts'
import type { Database } from './database.ts'
import { bodiesOf, bodiesOfExecutions, headKey, partsOfBodyKey, removedKey } from './keys.ts'
import { keyPages } from './scan.ts'

/** Where the records of a box and of its executions are, in the order of positions. */
export interface BoxPositions {
  readonly positions: Float64Array
  /** last version of the box itself; 0: none */
  readonly version: number
  /** how many executions there are */
  readonly executions: number
  /** a record is missing behind the last position */
  readonly damage?: ReturnType<typeof corrupt>
}

interface Gap {
  readonly position: number
  readonly stream: string
  readonly version: number
}

/** The last record of a stream that was found. */
interface End {
  readonly stream: string
  readonly version: number
}

const endsAtOnce = 512

/**
 * Reads keys only, and the heads of executions: eight bytes a record are held, however many executions a box has had. Keys
 * are proven by nothing: that a record is where its key says, whoever reads it has to look.
 */
export async function positionsOf(db: Database, box: string, to: number): Promise<BoxPositions> {
  const found = new Positions()
  let own = 0
  let executions = 0
  let gap: Gap | undefined
  const note = (next: Gap | undefined) => {
    if (next !== undefined && (gap === undefined || next.position < gap.position)) gap = next
  }
  const ends: End[] = []
  const settle = async () => {
    for (const lost of await lostEnds(db, ends.splice(0), to)) note(lost)
  }
  for (const range of [bodiesOf(box), bodiesOfExecutions(box)]) {
    let stream = ''
    let last = 0
    const leave = () => {
      if (last > 0 && stream !== box) ends.push({ stream, version: last })
    }
    for await (const page of keyPages(db, range)) {
      for (const key of page) {
        const { box: name, version, position } = partsOfBodyKey(key)
        if (position > to) continue
        if (name !== stream) {
          leave()
          last = 0
          if (name !== box) executions += 1
        }
        stream = name
        if (version !== last + 1) note({ position, stream, version: last + 1 })
        last = version
        if (name === box) own = version
        found.add(position)
      }
      if (ends.length >= endsAtOnce) await settle()
    }
    leave()
  }
  await settle()
  const positions = found.sorted()
  const twice = positions.find((position, n) => n > 0 && positions[n - 1] === position)
  if (twice !== undefined) note({ position: twice, stream: box, version: own })
  if (gap === undefined) return { positions, version: own, executions }
  const { position, stream, version } = gap
  return {
    positions: positions.filter(at => at < position),
    version: own,
    executions,
    damage: corrupt(`Version ${version} of ${stream} is missing`, { box, version }),
  }
}

/** Executions whose head tells of more records than were found. */
async function lostEnds(db: Database, ends: readonly End[], to: number): Promise<Gap[]> {
  if (ends.length === 0) return []
  const keys = ends.flatMap(({ stream }) => [removedKey(stream), headKey(stream)])
  const sealed: (string | undefined)[] = await db.getMany(keys)
  return ends.flatMap(({ stream, version }, n) => {
    const head = decodeHead(sealed[2 * n]) ?? decodeHead(sealed[2 * n + 1])
    const isLost = head !== undefined && head.version > version && head.position <= to
    return isLost ? [{ position: head.position, stream, version: version + 1 }] : []
  })
}

class Positions {
  #found = new Float64Array(1_024)
  #count = 0

  add(position: number): void {
    if (this.#count === this.#found.length) {
      const more = new Float64Array(2 * this.#count)
      more.set(this.#found)
      this.#found = more
    }
    this.#found[this.#count] = position
    this.#count += 1
  }

  sorted(): Float64Array {
    return this.#found.subarray(0, this.#count).sort()
  }
}
