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
  readonly bytes: Buffer
  /** where they are in the file, in `bytes` */
  readonly at: number
  /** first of a file begun anew */
  readonly restarted: boolean
  /** what was before them was not read */
  readonly skipped: boolean
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
      if (size === this.#at) return
      const goesOn = (await lastCut(this.#path, this.#head))?.offset ?? 0
      // Begun anew by the guest's reboot, or cut by us: then it goes on behind a hole.
      let restarted = size < this.#at && goesOn === 0
      if (size < this.#at) this.#at = goesOn
      if (restarted) this.#handed = 0
      // To the size as it was at first: against a writer who never stops there must be an end.
      while (this.#at < size) {
        if (this.#at >= this.#head) {
          this.#at = Math.max(this.#at, goesOn)
          if (size - this.#at > most) this.#at = Math.floor(size - most / readPart)
        }
        const end = this.#at < this.#head ? Math.min(size, this.#head) : size
        if (this.#at >= end) return
        const at = this.#at
        const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, end - at))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) return
        // Somebody else who read on meanwhile has had these.
        if (this.#at !== at) continue
        const skipped = at > this.#handed
        this.#at += bytesRead
        this.#handed = this.#at
        yield { bytes: buffer.subarray(0, bytesRead), at, restarted, skipped }
        restarted = false
      }
    } finally {
      await file.close()
    }
  }

  /** Begins again at the start of the file. */
  rewind(): void {
    this.#at = 0
    this.#handed = 0
  }
}
