import { MemoryLevel } from 'memory-level'
import { BoxError, type Head, isExecutionHead, type StreamHead } from '../../machines/index.ts'
import { type Ballast, type Medium, storedHead } from '../../store/index.ts'
import { type Life, never } from '../simulation/life.ts'
import { viewOf } from './database-view.ts'
import { TailSlots } from './tail-slots.ts'

/** What becomes of the write of one group of transitions. */
export interface Flush {
  /** until it is on the disk, in `ms` */
  readonly writeMs: number
  /** and from then until its caller is answered */
  readonly answerMs: number
  /**
   * `lost`: rejected, and not there; `there`: rejected, and there all the same; `forgotten`: acknowledged, and not
   * there, which no honest disk does
   */
  readonly outcome: 'written' | 'lost' | 'there' | 'forgotten'
}

export const promptFlush: Flush = { writeMs: 0, answerMs: 0, outcome: 'written' }

/** What a ledger stands on in a simulation: it outlives engines, and may fail in all the ways that real ones do. */
export class SimulatedDisk {
  readonly #database = new MemoryLevel<string, string>({ storeEncoding: 'utf8' })
  readonly #tail = new TailSlots()
  readonly #flush: () => Flush
  #holder: Life | undefined
  #isFull = false
  #hasBallast = false
  /** groups that were written */
  flushes = 0
  /** groups that were rejected, or forgotten */
  faults = 0

  constructor(flush: () => Flush = () => promptFlush) {
    this.#flush = flush
  }

  /** Takes up all room, or gives it back. */
  set isFull(isFull: boolean) {
    this.#isFull = isFull
  }

  /** The head of a box as it is stored: what would be found if everything ended now. */
  head(box: string): Head | undefined {
    const head = this.headOf(box)
    return head === undefined || isExecutionHead(head) ? undefined : head
  }

  /** The same of any stream. */
  headOf(stream: string): StreamHead | undefined {
    return storedHead(viewOf(this.#database, { isOver: () => false, check: () => {} }), stream)
  }

  mediumOf(life: Life): Medium {
    const isOver = () => life.isOver
    const hasRoom = () => !this.#isFull || !this.#hasBallast
    const check = () => {
      if (!hasRoom()) throw noSpace()
    }
    return {
      lock: async () => {
        if (this.#holder !== undefined && !this.#holder.isOver)
          throw new BoxError('ENGINE_LOCKED', 'The simulated disk is in use')
        this.#holder = life
        return {
          release: () => {
            if (this.#holder === life) this.#holder = undefined
          },
        }
      },
      tailFile: () => this.#tail.open(isOver),
      ballast: this.#ballast(),
      identity: () => ({ path: '/simulated', inode: '1', birth: '0' }),
      database: async () => {
        if (!hasRoom()) throw new BoxError('NO_SPACE', 'Opening the ledger: the simulated disk is full')
        await this.#database.open()
        return viewOf(this.#database, { isOver, check })
      },
    }
  }

  /** Goes around the write of each group, for an engine that lives so long. */
  aroundFlush(life: Life): (write: () => Promise<void>) => Promise<void> {
    const pause = (ms: number) =>
      ms === 0 ? undefined : new Promise<void>(resolve => life.clock.setTimeout(resolve, ms))
    return async write => {
      const { writeMs, answerMs, outcome } = this.#isFull
        ? { ...promptFlush, outcome: 'full' }
        : this.#flush()
      await pause(writeMs)
      if (life.isOver) return never()
      if (outcome === 'written' || outcome === 'there') {
        this.flushes += 1
        await write()
      } else this.faults += 1
      await pause(answerMs)
      if (life.isOver) return never()
      if (outcome === 'there') this.faults += 1
      if (outcome === 'full') throw noSpace()
      if (outcome === 'lost' || outcome === 'there') throw new Error('IO error: of the simulated disk')
    }
  }

  /** There is room for a start as long as there is a ballast to drop. */
  #ballast(): Ballast {
    return {
      drop: () => {
        const dropped = this.#hasBallast
        this.#hasBallast = false
        return dropped
      },
      make: async () => {
        if (this.#isFull) return false
        this.#hasBallast = true
        return true
      },
    }
  }
}

function noSpace(): Error {
  return new Error('IO error: 000042.log: No space left on device')
}
