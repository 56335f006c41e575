import { randomUUID } from 'node:crypto'
import { type BoxActor, createRoot, Followers, type Inspect } from '../../engine/index.ts'
import type { Head, LedgerRecord } from '../../machines/index.ts'
import type { OwnerClient } from './client.ts'
import { headAfter } from './fold.ts'

/** Actors of boxes over the socket: each begins with a head and folds the records that come after it. */
export class RemoteActors {
  readonly #client: OwnerClient
  readonly #followers: Followers
  readonly #left = new AbortController()
  readonly #followed = new Set<string>()

  constructor(client: OwnerClient, inspect?: Inspect) {
    this.#client = client
    this.#followers = new Followers(createRoot(inspect), (box, command) => {
      client.call(`/box/${box}/call/send`, [command, randomUUID()]).catch(() => {
        // A refusal shows in the actor's state, which has not moved: `send` has nobody to tell.
      })
    })
  }

  actorOf(head: Head): BoxActor {
    const actor = this.#followers.actorOf(head)
    if (!this.#followed.has(head.box)) {
      this.#followed.add(head.box)
      this.#follow(head).catch(() => {
        // No owner for 30 s, or the ledger cannot be read on: an actor that no longer follows must not seem to.
        if (!this.#left.signal.aborted) this.close()
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
    const records = this.#client.stream<LedgerRecord>(
      `/box/${first.box}/stream/events`,
      () => [{ from: head.position + 1, follow: true }],
      { signal: this.#left.signal, holds: false },
    )
    for await (const record of records) {
      head = headAfter(head, record)
      this.#followers.tell(head, record)
      if (record.to === 'removed') return
    }
  }
}
