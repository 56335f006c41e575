import {
  type BoxCommand,
  BoxError,
  type Head,
  isTemplate,
  publicStateOf,
  type SnapshotPlace,
  snapshotsOf,
} from '../machines/index.ts'
import type { Ledger } from '../store/index.ts'

type Submit = (box: string, decide: (head: Head | undefined) => BoxCommand | undefined) => Promise<unknown>

/**
 * Snapshots that were made for a clone, by the word of the ledger. One whose maker is gone, since the engine ended before
 * the clone was up, is removed as soon as no box is going to begin with it.
 */
export class CloneSnapshots {
  readonly #ledger: Ledger
  readonly #submit: Submit
  /** those that are seen to: somebody here makes a clone of them, or their removal was asked for once */
  readonly #known = new Set<string>()
  /** others, by the box that is going to begin with them */
  readonly #awaited = new Map<string, SnapshotPlace>()

  constructor(ledger: Ledger, submit: Submit) {
    this.#ledger = ledger
    this.#submit = submit
  }

  /** Looks at what earlier engines have left. */
  begin(): void {
    for (const head of this.#ledger.heads()) this.follow(head)
  }

  /** Whoever asks for such a snapshot sees to it. */
  claim(place: SnapshotPlace): void {
    this.#known.add(keyOf(place))
  }

  follow(head: Head): void {
    for (const { name, forClone = false, leaving = false } of snapshotsOf(head.state.context).kept)
      if (forClone && !leaving) this.#see({ box: head.box, name })
    const awaited = this.#awaited.get(head.box)
    if (awaited === undefined || isToBegin(head, awaited)) return
    this.#awaited.delete(head.box)
    const source = this.#ledger.head(awaited.box)
    if (source !== undefined) this.follow(source)
  }

  #see(place: SnapshotPlace): void {
    if (this.#known.has(keyOf(place))) return
    for (const head of this.#ledger.heads())
      if (isToBegin(head, place)) {
        this.#awaited.set(head.box, place)
        return
      }
    this.#known.add(keyOf(place))
    this.#remove(place)
  }

  #remove({ box, name }: SnapshotPlace): void {
    const isThere = (head: Head | undefined) =>
      head !== undefined &&
      snapshotsOf(head.state.context).kept.some(each => each.name === name && !each.leaving)
    this.#submit(box, head =>
      isThere(head) ? { type: 'snapshot.removal.requested', name } : undefined,
    ).catch(error => {
      // Where it cannot be removed now, the next owner tries.
      if (!BoxError.is(error)) throw error
    })
  }
}

function keyOf({ box, name }: SnapshotPlace): string {
  return `${box}/${name}`
}

/** Whether a box is going to begin with a snapshot, or may be about to. */
function isToBegin({ state: { value, context } }: Head, { box, name }: SnapshotPlace): boolean {
  const { origin } = snapshotsOf(context)
  if (origin === null || isTemplate(origin) || publicStateOf(value) === 'removed') return false
  if (origin.box !== box || origin.name !== name) return false
  return context.incarnation === 0 || (context.open && context.startedAt === null)
}
