import { decodeSealed } from './codec.ts'
import type { Database } from './database.ts'
import { losses, parkedBoxes } from './keys.ts'
import type { Parked } from './ledger.ts'
import { entryPages } from './scan.ts'

/**
 * What a repair could not save, as the journal beside the chain declares it, so that it is told from new damage:
 *
 * - `record`: positions without frame and body
 * - `body`: positions with a frame, which says of which box and version the lost body was
 * - `frame`: a position with a body, whose frame was made anew and is not the one that its successor links to
 *
 * An import of one box declares in the same way what was left out: `elsewhere`, positions of other boxes, without frame
 * and body.
 */
export interface Loss {
  readonly from: number
  /** inclusive */
  readonly to: number
  readonly what: 'record' | 'body' | 'frame' | 'elsewhere'
  /** hash of the frame that was at `to`, where it is known: what the next one links to */
  readonly hash?: string
}

/** Losses of one ledger, by position. Fixed once it was repaired. */
export class Losses {
  readonly #losses: readonly Loss[]

  /** In the order of positions. */
  constructor(all: readonly Loss[] = []) {
    this.#losses = all
  }

  /** last position that is lost altogether; 0: none */
  get end(): number {
    return this.#losses.findLast(isGone)?.to ?? 0
  }

  /** Whether anything is declared at all. */
  get isEmpty(): boolean {
    return this.#losses.length === 0
  }

  at(position: number): Loss | undefined {
    let low = 0
    let high = this.#losses.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#losses[middle]?.to ?? 0) < position) low = middle + 1
      else high = middle
    }
    const loss = this.#losses[low]
    return loss && loss.from <= position ? loss : undefined
  }

  /** There is no record there, and none is missed. */
  hasNoRecord(position: number): boolean {
    const loss = this.at(position)
    return loss !== undefined && (isGone(loss) || loss.what === 'body')
  }

  /** What the frame after a position links to, where that is not the hash of the frame that is there. */
  hashAt(position: number): string | undefined {
    const loss = this.at(position)
    return loss?.to === position ? loss.hash : undefined
  }

  /** All of these positions, the last one included, are lost altogether. */
  spans(from: number, to: number): boolean {
    for (let at = from; at <= to; ) {
      const loss = this.at(at)
      if (loss === undefined || !isGone(loss)) return false
      at = loss.to + 1
    }
    return true
  }
}

/** Neither frame nor body is there. */
export function isGone({ what }: Loss): boolean {
  return what === 'record' || what === 'elsewhere'
}

export async function loadLosses(db: Database): Promise<Losses> {
  const all: Loss[] = []
  for await (const page of entryPages(db, losses))
    for (const [, sealed] of page) {
      const loss = decodeSealed(sealed) as Loss | undefined
      // Without it, what is lost is told as damage again: nothing is hidden.
      if (loss !== undefined) all.push(loss)
    }
  return new Losses(all)
}

/** Boxes that a repair has parked, by ID. */
export async function loadDeclared(db: Database): Promise<Map<string, Parked>> {
  const parked = new Map<string, Parked>()
  for await (const page of entryPages(db, parkedBoxes))
    for (const [key, sealed] of page)
      parked.set(
        key.slice(parkedBoxes.gte.length),
        (decodeSealed(sealed) as Parked | undefined) ?? unreadable,
      )
  return parked
}

const unreadable: Parked = { reason: 'a repair has parked it, and why cannot be read any more' }
