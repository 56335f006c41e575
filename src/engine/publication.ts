import {
  type Boundary,
  type ExecutionHead,
  type Head,
  isExecutionHead,
  type LedgerRecord,
  partsOf,
} from '../machines/index.ts'
import type { Committed, Ledger, Projections } from '../store/index.ts'
import type { Audience } from './audience.ts'
import type { Executions } from './executions.ts'
import type { Silence } from './silence.ts'
import type { Timers } from './timers.ts'

/** Who goes by a box's latest state. */
interface Follower {
  follow(head: Head): void
}

export interface PublicationWorld {
  readonly ledger: Ledger
  readonly projections: Projections
  readonly audience: Audience
  readonly executions: Executions
  readonly silence: Silence
  readonly timers: Timers
  /** hear of each box, whatever becomes of it */
  readonly always: readonly Follower[]
  /** until the engine is closed */
  readonly whileOpen: readonly Follower[]
  /** act on a box: not before the host was asked what became of it */
  readonly acting: readonly Follower[]
  readonly boundary: Boundary
  readonly isOver: () => boolean
  readonly isRecovering: (box: string) => boolean
}

/** What becomes of records once they are durable: they are shown, and only then acted on. */
export class Publication {
  readonly #world: PublicationWorld

  constructor(world: PublicationWorld) {
    this.#world = world
  }

  publish(committed: readonly Committed[]): void {
    const { projections, boundary } = this.#world
    projections.apply(committed.map(({ head }) => head))
    for (const { head, record } of committed) {
      boundary(`after append ${record.event.type}`)
      if (isExecutionHead(head)) this.#publishExecution(head, record)
      else this.#publishBox(head, record)
    }
  }

  #publishBox(head: Head, record: LedgerRecord): void {
    const { audience, silence, timers, always, whileOpen, acting, isOver, isRecovering } = this.#world
    if (!head.state.context.open) silence.forget(head.box)
    for (const follower of always) follower.follow(head)
    audience.tell(head, record)
    if (isOver()) return
    for (const follower of whileOpen) follower.follow(head)
    if (isRecovering(head.box)) return
    timers.follow(head.box, head.state)
    for (const follower of acting) follower.follow(head)
  }

  #publishExecution(head: ExecutionHead, record: LedgerRecord): void {
    const { audience, ledger, executions, isOver } = this.#world
    audience.tail.advance(record)
    const box = ledger.head(partsOf(head.box).box)
    // Its number of executions is another one.
    if (box !== undefined && record.event.type === 'exec.started') audience.tell(box)
    if (!isOver()) executions.follow(head)
  }
}
