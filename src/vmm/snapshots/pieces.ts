/**
 * Where a file has something else than zeros: the rest of a memory or a disk is mostly a hole, which need not be read again
 * as long as it takes no room.
 */
export interface Pieces {
  /** the room that the file takes on the disk, in `bytes` */
  readonly allocated: number
  /** where each begins, and how long it is, in `bytes`; in order */
  readonly at: readonly (readonly [begin: number, bytes: number])[]
  /** of what is in them, in hex */
  readonly sha256: string
}

/** In `bytes`. What is empty in a shorter stretch counts as a part of the piece. */
export const granuleBytes = 64 << 10

/** Of what an own file system accounts memory and disks by, in `bytes`. */
const pageBytes = 4 << 10
const noPage = Buffer.alloc(pageBytes)
const noGranule = Buffer.alloc(granuleBytes)

/** A file in more pieces is read as a whole: its manifest is to stay short. */
const mostPieces = 4096

/** What a file system may take for itself: some of its blocks, and one more for so many stretches. */
const spareBlocks = 2
const stretchesPerBlock = 100

/** Whether this describes pieces of a file of `bytes`. */
export function isPieces(value: unknown, bytes: number): value is Pieces {
  const { allocated, at, sha256 } = (value ?? {}) as Record<string, unknown>
  if (!Number.isSafeInteger(allocated) || !isSha256(sha256) || !Array.isArray(at)) return false
  let last = 0
  return at.every(piece => {
    if (!Array.isArray(piece) || piece.length !== 2 || !piece.every(Number.isSafeInteger)) return false
    const [begin, length] = piece as [number, number]
    const isNext = begin >= last && length > 0 && begin + length <= bytes
    last = begin + length
    return isNext
  })
}

/** Whether it is a hash, in hex. */
export const isSha256 = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/** The bytes that a file takes on its disk. */
export const allocatedBytes = ({ blocks }: { readonly blocks: number }): number => blocks * 512

/** Finds the pieces of a file that goes by. */
export class PieceFinder {
  readonly #at: [begin: number, bytes: number][] = []
  #heldBytes = 0
  #stretches = 0
  #wasHeld = false

  /** What comes next in the file, from `begin` on, a multiple of {@link granuleBytes}. Gives what of it belongs to pieces. */
  add(bytes: Buffer, begin: number): Buffer[] {
    const found: Buffer[] = []
    for (let at = 0; at < bytes.length; at += granuleBytes) {
      const granule = bytes.subarray(at, at + granuleBytes)
      if (!this.#look(granule)) continue
      found.push(granule)
      this.#extend(begin + at, granule.length)
    }
    return found
  }

  /** Undefined for a file in very many pieces, and for one that takes room where nothing was found: it could change there. */
  finish(allocated: number, sha256: string): Pieces | undefined {
    const spare = (spareBlocks + this.#stretches / stretchesPerBlock) * pageBytes
    if (this.#at.length > mostPieces || allocated > this.#heldBytes + spare) return undefined
    return { allocated, at: this.#at, sha256 }
  }

  /** Whether there is something in a granule. */
  #look(granule: Buffer): boolean {
    if (granule.equals(noGranule)) {
      this.#wasHeld = false
      return false
    }
    const before = this.#heldBytes
    for (let at = 0; at < granule.length; at += pageBytes) {
      const page = granule.subarray(at, at + pageBytes)
      const isHeld = !page.equals(noPage.subarray(0, page.length))
      if (isHeld) this.#heldBytes += page.length
      if (isHeld && !this.#wasHeld) this.#stretches += 1
      this.#wasHeld = isHeld
    }
    return this.#heldBytes > before
  }

  #extend(begin: number, bytes: number): void {
    const last = this.#at.at(-1)
    if (last && last[0] + last[1] === begin) last[1] += bytes
    else this.#at.push([begin, bytes])
  }
}
