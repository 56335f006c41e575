import { type Actor, type ActorLogic, createActor } from 'xstate'
import {
  type BoxCommand,
  type BoxSnapshot,
  boxMachine,
  commandOf,
  type Head,
  type LedgerRecord,
  type StampedEvent,
  snapshotOf,
} from '../machines/index.ts'
import type { Root } from './root.ts'

/** A box's actor: it shows committed states and has no effects of its own. */
export type BoxActor = Actor<FollowerLogic>

type FollowerLogic = ActorLogic<BoxSnapshot, StampedEvent, Head>

/** What the engine tells a follower; made here only, so that nobody else can. */
const committed = new WeakMap<object, BoxSnapshot>()

const followerLogic: FollowerLogic & { readonly config: unknown } = {
  // What inspectors draw.
  config: boxMachine.config,
  // Stopped, and no longer active: else its last state would be shown once more.
  transition: (snapshot, event) =>
    (event.type as string) === 'xstate.stop'
      ? ({ ...snapshot, status: 'stopped' } as BoxSnapshot)
      : (committed.get(event) ?? snapshot),
  getInitialSnapshot: (_, head) => snapshotOf(head.state),
  getPersistedSnapshot: snapshot => snapshot,
}

/** Actors of boxes, made when somebody asks for one; a box at rest costs none. */
export class Followers {
  readonly #root: Root
  readonly #submit: (box: string, command: BoxCommand) => void
  readonly #actors = new Map<string, { actor: BoxActor; deliver: (event: StampedEvent) => void }>()

  constructor(root: Root, submit: (box: string, command: BoxCommand) => void) {
    this.#root = root
    this.#submit = submit
  }

  /** `send` of a command hands it to the box's mailbox; a fact cannot be sent, only seen. */
  actorOf(head: Head): BoxActor {
    const known = this.#actors.get(head.box)
    if (known !== undefined) return known.actor
    const actor = createActor(followerLogic, {
      id: `box/${head.box}`,
      systemId: `box/${head.box}`,
      parent: this.#root,
      input: head,
    })
    const deliver = actor.send
    actor.send = event => this.#submit(head.box, commandOf(event))
    this.#actors.set(head.box, { actor, deliver })
    actor.start()
    return actor
  }

  tell(head: Head, record: LedgerRecord): void {
    const follower = this.#actors.get(head.box)
    if (follower === undefined) return
    const event = { ...record.event, at: Date.parse(record.at) } as StampedEvent
    committed.set(event, snapshotOf(head.state))
    follower.deliver(event)
    if (record.to === 'removed') this.end(head.box)
  }

  /** An actor that hears of nothing any more must not seem to. */
  end(box: string): void {
    const follower = this.#actors.get(box)
    if (follower === undefined) return
    this.#root.send({ type: 'end', child: follower.actor })
    this.#actors.delete(box)
  }

  stopAll(): void {
    for (const box of [...this.#actors.keys()]) this.end(box)
  }
}
