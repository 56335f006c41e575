import { lastCut } from './growing.ts'
import { openOwnFile } from './own-file.ts'

const pieceBytes = 64 * 1024

export interface TailOptions {
  /** where reading begins, in `bytes` */
  readonly from?: number
  /** of a file that is cut, what stays at its start, in `bytes`; it is read in any case */
  readonly head?: number
  /**
   * The most that is read at once, in `bytes`: of what has come since the last time, if it is more, only the end. Absent:
   * all of it, however much.
   */
  readonly most?: number
}

export interface Piece {
  /** none, where nothing is there any more of what was missed */
  readonly bytes: Buffer
  /** where they are in the file, in `bytes` */
  readonly at: number
  /** first of a file begun anew */
  readonly restarted: boolean
  /** how much was before them that was not read, in `bytes`; 0: they follow the last piece */
  readonly missed: number
}

/** Of what is too much, the end is read: this part of it. */
const readPart = 4

/**
 * Reads on in a file that another process writes: what is there now, from where reading ended last. A file that has
 * become shorter was begun anew, or was cut. Nothing is kept open in between, so that nothing is held against its
 * removal.
 */
export class Tail {
  readonly #path: string
  readonly #head: number
  readonly #most: number
  #at: number
  /** end of the last piece */
  #handed: number
  /** where the file goes on after its last cut; 0: it was not cut */
  #cut = 0
  /** the hole that it has left, which may have begun while this was read: what is zero there is no content */
  #hole: 'none' | 'ahead' | 'here' = 'none'

  constructor(path: string, { from = 0, head = 0, most = Number.POSITIVE_INFINITY }: TailOptions = {}) {
    this.#path = path
    this.#at = from
    this.#handed = from
    this.#head = head
    this.#most = most
  }

  /** Where reading goes on, in `bytes`. */
  get at(): number {
    return this.#at
  }

  /** Hands out what is new, a piece after the other. */
  async *read({
    most = this.#most,
  }: {
    readonly most?: number
  } = {}): AsyncGenerator<Piece, void, undefined> {
    const file = await openOwnFile(this.#path)
    if (file === undefined) return
    try {
      const { size } = await file.stat()
      if (size === this.#at && size > 0) return
      this.#seeCut()
      // Begun anew by the guest's reboot, or cut by us: then it goes on where it was, behind a hole.
      let restarted = size < this.#at && this.#cut === 0
      if (restarted) this.rewind()
      // To the size as it was at first: against a writer who never stops there must be an end.
      while (true) {
        if (this.#at >= this.#head) {
          this.#at = Math.max(this.#at, this.#cut)
          if (size - this.#at > most) this.#at = Math.floor(size - most / readPart)
        }
        const at = this.#at
        const end = at < this.#head ? Math.min(size, this.#head) : size
        if (at >= end) break
        const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, end - at))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
        const bytes = this.#contentOf(buffer.subarray(0, bytesRead), at)
        // Somebody else who read on meanwhile has had these; or there is a hole.
        if (this.#at !== at) continue
        if (bytes.length === 0) break
        this.#at += bytes.length
        yield this.#pieceOf(bytes, at, restarted)
        restarted = false
      }
      if (this.#at > this.#handed) yield this.#pieceOf(Buffer.alloc(0), this.#at, restarted)
    } finally {
      await file.close()
    }
  }

  /** Begins again at the start of the file. */
  rewind(): void {
    this.#at = 0
    this.#handed = 0
  }

  #pieceOf(bytes: Buffer, at: number, restarted: boolean): Piece {
    const missed = at - this.#handed
    this.#handed = this.#at
    return { bytes, at, restarted, missed }
  }

  #seeCut(): void {
    const cut = lastCut(this.#path, this.#head)?.offset ?? 0
    if (cut !== this.#cut) this.#hole = cut > 0 ? 'ahead' : 'none'
    this.#cut = cut
  }

  /**
   * What of these bytes comes before a hole; where they begin with one, reading goes on behind it. That there are none, or
   * zeros, may come of a cut.
   */
  #contentOf(bytes: Buffer, at: number): Buffer {
    const zero = bytes.indexOf(0)
    if (zero !== -1 || bytes.length === 0) this.#seeCut()
    if (this.#at !== at || at < this.#head || this.#hole === 'none') return bytes
    if (this.#cut > at) this.#at = this.#cut
    else if (zero === 0) {
      const content = bytes.findIndex(byte => byte !== 0)
      this.#at += content === -1 ? bytes.length : content
      this.#hole = 'here'
    } else if (this.#hole === 'here') this.#hole = 'none'
    else if (zero !== -1) return bytes.subarray(0, zero)
    return bytes
  }
}
