import { corrupt } from './chain.ts'
import type { Database } from './database.ts'
import { bodiesOf, bodiesOfExecutions, partsOfBodyKey } from './keys.ts'
import { keyPages } from './scan.ts'

/** Where the records of a box and of its executions are, in the order of positions. */
export interface BoxPositions {
  readonly positions: Float64Array
  /** last version of the box itself; 0: none */
  readonly version: number
  /** a record is missing behind the last position */
  readonly damage?: ReturnType<typeof corrupt>
}

interface Gap {
  readonly position: number
  readonly stream: string
  readonly version: number
}

/** Reads keys only: eight bytes a record are held, however many executions a box has had. */
export async function positionsOf(db: Database, box: string, to: number): Promise<BoxPositions> {
  let found = new Float64Array(1_024)
  let count = 0
  let own = 0
  let gap: Gap | undefined
  for (const range of [bodiesOf(box), bodiesOfExecutions(box)]) {
    let stream = ''
    let last = 0
    for await (const page of keyPages(db, range))
      for (const key of page) {
        const { box: name, version, position } = partsOfBodyKey(key)
        if (position > to) continue
        if (name !== stream) last = 0
        stream = name
        if (version !== last + 1 && (gap === undefined || position < gap.position))
          gap = { position, stream, version: last + 1 }
        last = version
        if (name === box) own = version
        if (count === found.length) {
          const more = new Float64Array(2 * count)
          more.set(found)
          found = more
        }
        found[count] = position
        count += 1
      }
  }
  const positions = found.subarray(0, count).sort()
  if (gap === undefined) return { positions, version: own }
  const { position, stream, version } = gap
  return {
    positions: positions.filter(at => at < position),
    version: own,
    damage: corrupt(`Version ${version} of ${stream} is missing`, { box, version }),
  }
}
