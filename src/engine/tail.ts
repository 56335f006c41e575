import { BoxError, type LedgerRecord } from '../machines/index.ts'
import type { Parked } from '../store/index.ts'
import { keptAlive } from './alive.ts'
import { aborted } from './waiting.ts'

/** How many records are kept at hand, so that followers who keep up do not read the disk. */
const recent = 1_024

/** Where the ledger ends, for those who follow it: told only what is durable, in order. */
export class Tail {
  #position: number
  #closed = false
  readonly #recent: LedgerRecord[] = []
  readonly #wakers = new Set<() => void>()

  constructor(position: number) {
    this.#position = position
  }

  get position(): number {
    return this.#position
  }

  get isClosed(): boolean {
    return this.#closed
  }

  advance(record: LedgerRecord): void {
    this.#position = record.position
    this.#recent.push(record)
    if (this.#recent.length > 2 * recent) this.#recent.splice(0, recent)
    this.#wake()
  }

  /** To the end of what was imported, none of which is at hand. */
  jump(position: number): void {
    this.#position = position
    this.#recent.length = 0
    this.#wake()
  }

  /** Records from a position on, where they are at hand; undefined: read the ledger. */
  at(from: number): readonly LedgerRecord[] | undefined {
    const first = this.#recent[0]
    if (first === undefined || from < first.position) return undefined
    return this.#recent.slice(from - first.position)
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  /**
   * Resolves when there is a record at `position`, or there will never be one. `holds`: who waits keeps the process
   * alive.
   */
  reached(position: number, { signal, holds }: { signal?: AbortSignal; holds: boolean }): Promise<void> {
    if (this.#closed || this.#position >= position) return Promise.resolve()
    if (signal?.aborted) return Promise.reject(aborted(signal))
    return new Promise((resolve, reject) => {
      const alive = holds ? keptAlive() : undefined
      const end = () => {
        alive?.[Symbol.dispose]()
        this.#wakers.delete(waker)
        signal?.removeEventListener('abort', abort)
      }
      const abort = () => {
        end()
        reject(aborted(signal as AbortSignal))
      }
      const waker = () => {
        if (!this.#closed && this.#position < position) return
        end()
        resolve()
      }
      this.#wakers.add(waker)
      signal?.addEventListener('abort', abort)
    })
  }

  #wake(): void {
    for (const waker of [...this.#wakers]) waker()
  }
}

export function inertError(home: string): BoxError {
  const message = `The home ${home} is a copy, and its boxes are history. Adopt it first (boxledger adopt)`
  return new BoxError('INVALID_STATE', message, { details: { home, inert: true } })
}

export function closedError(): BoxError {
  return new BoxError('ENGINE_CLOSED', 'The runtime was closed')
}

export function damaged(box: string, parked: Parked): BoxError {
  return new BoxError('LEDGER_CORRUPT', `Records of box ${box} are damaged: ${parked.reason}`, {
    details: { box, ...parked },
  })
}
