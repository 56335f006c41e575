import type { BoxInfo, Explanation, ForkEvent, ForkResult } from '../../engine/index.ts'
import type { Difference, LedgerRecord } from '../../machines/index.ts'
import { type Audit, type Moment, momentOf } from '../audit.ts'
import { auditShapes } from '../audit-shapes.ts'
import { check } from '../options.ts'
import { wordOf } from './arguments.ts'

/** The same through the owner, which checks what only it can know. */
export class RemoteAudit implements Audit {
  readonly #call: <T>(verb: string, args: readonly unknown[]) => Promise<T>

  constructor(call: <T>(verb: string, args: readonly unknown[]) => Promise<T>) {
    this.#call = call
  }

  async stateAt(id: string, at: Moment): Promise<BoxInfo> {
    return this.#call('stateAt', [wordOf(id), momentOf(at)])
  }

  async diff(id: string, a: number, b: number): Promise<Difference[]> {
    check(auditShapes.version, a, 'a')
    check(auditShapes.version, b, 'b')
    return this.#call('diff', [wordOf(id), a, b])
  }

  async why(position: number): Promise<LedgerRecord[]> {
    return this.#call('why', [check(auditShapes.version, position, 'position')])
  }

  async explain(idOrName: string): Promise<Explanation> {
    return this.#call('explain', [wordOf(idOrName)])
  }

  async fork(
    id: string,
    at: { readonly version: number },
    events: readonly ForkEvent[],
  ): Promise<ForkResult> {
    const given = [check(auditShapes.forkAt, at, 'at'), check(auditShapes.forkEvents, events, 'events')]
    return this.#call('fork', [wordOf(id), ...given])
  }
}
