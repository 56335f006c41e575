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

/** Of the room that it takes a file may have one in so many bytes for other things than what was found in it. */
const spareShare = 1000

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

  /** What comes next in the file, from `begin` on, a multiple of {@link granuleBytes}. Gives what of it belongs to pieces. */
  add(bytes: Buffer, begin: number): Buffer[] {
    const found: Buffer[] = []
    for (let at = 0; at < bytes.length; at += granuleBytes) {
      const granule = bytes.subarray(at, at + granuleBytes)
      const held = heldIn(granule)
      if (held === 0) continue
      this.#heldBytes += held
      found.push(granule)
      this.#extend(begin + at, granule.length)
    }
    return found
  }

  /** Undefined where there is too little to be gained, or the file takes room where nothing was found: it could change there. */
  finish(allocated: number, sha256: string): Pieces | undefined {
    const spare = allocated - this.#heldBytes
    if (this.#at.length > mostPieces || spare > allocated / spareShare) return undefined
    return { allocated, at: this.#at, sha256 }
  }

  #extend(begin: number, bytes: number): void {
    const last = this.#at.at(-1)
    if (last && last[0] + last[1] === begin) last[1] += bytes
    else this.#at.push([begin, bytes])
  }
}

/** Bytes of the pages of a granule that are not empty. */
function heldIn(granule: Buffer): number {
  if (granule.equals(noGranule)) return 0
  let held = 0
  for (let at = 0; at < granule.length; at += pageBytes) {
    const page = granule.subarray(at, at + pageBytes)
    if (!page.equals(noPage.subarray(0, page.length))) held += page.length
  }
  return held
}
