import {
  audit,
  type BoxInfo,
  type Engine,
  type Explanation,
  type ForkEvent,
  type ForkResult,
} from '../../engine/index.ts'
import type { Difference, LedgerRecord } from '../../machines/index.ts'
import { type Audit, type Moment, momentOf } from '../audit.ts'
import { auditShapes } from '../audit-shapes.ts'
import { check } from '../options.ts'
import type { LookUp } from './look-up.ts'

/** Looks back in the ledger of a home that this process owns. */
export class EmbeddedAudit implements Audit {
  readonly #engine: Engine
  readonly #lookUp: () => LookUp

  /** `lookUp` throws once the home is closed. */
  constructor(engine: Engine, lookUp: () => LookUp) {
    this.#engine = engine
    this.#lookUp = lookUp
  }

  async stateAt(id: string, at: Moment): Promise<BoxInfo> {
    const moment = momentOf(at)
    return audit.stateAt(this.#engine, await this.#lookUp().any(id), moment)
  }

  async diff(id: string, a: number, b: number): Promise<Difference[]> {
    check(auditShapes.version, a, 'a')
    check(auditShapes.version, b, 'b')
    return audit.diff(this.#engine, await this.#lookUp().any(id), a, b)
  }

  async why(position: number): Promise<LedgerRecord[]> {
    check(auditShapes.version, position, 'position')
    this.#lookUp()
    return audit.why(this.#engine, position)
  }

  async explain(idOrName: string): Promise<Explanation> {
    const { ledger } = this.#engine
    const lookUp = this.#lookUp()
    const id = await lookUp.any(idOrName)
    const head = ledger.head(id) ?? (ledger.parked.has(id) ? undefined : await ledger.removedHead(id))
    const info = head === undefined ? lookUp.infoOf(id) : this.#engine.info(head)
    return audit.explain(this.#engine, info as BoxInfo, head?.state)
  }

  async fork(
    id: string,
    at: { readonly version: number },
    events: readonly ForkEvent[],
  ): Promise<ForkResult> {
    const { version } = check(auditShapes.forkAt, at, 'at')
    const invented = check(auditShapes.forkEvents, events, 'events') as readonly ForkEvent[]
    const box = await this.#lookUp().any(id)
    return audit.fork(this.#engine, box, version, invented)
  }
}
