import { type Boundary, BoxError, type BoxFact, type Head, snapshotsOf } from '../machines/index.ts'
import type { Hands } from '../vmm/index.ts'

export interface RemovalWorld {
  readonly home: string
  readonly removeSnapshot: Hands['removeSnapshot']
  readonly boundary: Boundary
  readonly tell: (box: string, fact: BoxFact) => void
}

/** Deletes the snapshots that are to leave, by what heads hold of them: whatever a box is doing beside it. */
export class SnapshotRemovals {
  readonly #world: RemovalWorld
  readonly #running = new Set<string>()

  constructor(world: RemovalWorld) {
    this.#world = world
  }

  follow({ box, state: { context } }: Head): void {
    for (const { name, leaving } of snapshotsOf(context).kept) {
      const key = `${box}/${name}`
      if (!leaving || this.#running.has(key)) continue
      this.#running.add(key)
      void this.#remove(box, name, context.incarnation).finally(() => this.#running.delete(key))
    }
  }

  async #remove(box: string, name: string, incarnation: number): Promise<void> {
    const { home, removeSnapshot, boundary, tell } = this.#world
    try {
      await removeSnapshot(home, box, name, boundary)
      tell(box, { type: 'snapshot.removed', name, incarnation })
    } catch (error) {
      const { message } = error as Error
      const code = BoxError.is(error) ? error.code : 'ENGINE_FAILED'
      tell(box, { type: 'snapshot.removal.failed', name, code, message, incarnation })
    }
  }
}
