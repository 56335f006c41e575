import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { type BoxActor, createRoot, Followers } from '../../engine/index.ts'
import type { Head, LedgerRecord } from '../../machines/index.ts'
import type { OwnerClient } from './client.ts'
import { headAfter } from './fold.ts'
import type { Progress } from './progress.ts'

/** Actors of boxes over the socket: each begins with a head and folds the records that come after it. */
export class RemoteActors {
  readonly #client: OwnerClient
  readonly #progress: Progress
  readonly #followers: Followers
  readonly #left = new AbortController()
  readonly #followed = new Set<string>()

  constructor(client: OwnerClient, progress: Progress) {
    this.#client = client
    this.#progress = progress
    // Every actor listens.
    setMaxListeners(0, this.#left.signal)
    this.#followers = new Followers(createRoot(undefined), (box, command) => {
      client.call(`/box/${box}/call/send`, [command, randomUUID()]).catch(() => {
        // A refusal shows in the actor's state, which has not moved: `send` has nobody to tell.
      })
    })
  }

  /** The box's actor; a new one begins with this head. */
  actorOf(head: Head): BoxActor {
    const actor = this.#followers.actorOf(head)
    if (!this.#followed.has(head.box)) {
      this.#followed.add(head.box)
      this.#follow(head)
        .catch(() => {
          // No owner for 30 s, or records that cannot be read: the actor ends, and who asks again gets a new one.
        })
        .finally(() => {
          this.#followed.delete(head.box)
          this.#followers.end(head.box)
        })
    }
    return actor
  }

  close(): void {
    this.#left.abort()
    this.#followers.stopAll()
  }

  async #follow(first: Head): Promise<void> {
    let head = first
    const reading = this.#progress.begin(first.box)
    reading.at(first.position)
    try {
      const records = this.#client.stream<LedgerRecord>(
        `/box/${first.box}/stream/events`,
        () => [{ from: head.position + 1, follow: true }],
        { signal: this.#left.signal, holds: false, follow: true },
      )
      for await (const record of records) {
        if (record.execution !== undefined) continue
        head = headAfter(head, record)
        this.#followers.tell(head, record)
        reading.at(head.position)
        if (record.to === 'removed') return
      }
    } finally {
      reading.end()
    }
  }
}
