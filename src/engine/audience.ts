import type { Head, LedgerRecord } from '../machines/index.ts'
import type { Followers } from './followers.ts'
import { closedError, Tail } from './tail.ts'
import { Waiting } from './waiting.ts'

export type Listener = (head: Head, record: LedgerRecord | undefined) => void

/** All who hear of what is durable: actors, streams, listeners, and callers who wait; in this order. */
export class Audience {
  readonly waiting = new Waiting()
  readonly tail: Tail
  readonly #followers: Followers
  readonly #listeners = new Set<Listener>()
  readonly #closers = new Set<() => void>()

  constructor(position: number, followers: Followers) {
    this.tail = new Tail(position)
    this.#followers = followers
  }

  /** After each durable record, in order; without a record when something beside the records has changed. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onClose(listener: () => void): () => void {
    this.#closers.add(listener)
    return () => this.#closers.delete(listener)
  }

  tell(head: Head, record?: LedgerRecord): void {
    if (record !== undefined) {
      this.#followers.tell(head, record)
      this.tail.advance(record)
    }
    for (const listener of this.#listeners) listener(head, record)
    this.waiting.tell(head, record)
  }

  close(): void {
    this.waiting.close(closedError)
    this.tail.close()
    for (const closer of [...this.#closers]) closer()
    this.#followers.stopAll()
  }
}
