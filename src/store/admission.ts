import { BoxError } from '../machines/index.ts'
import { again, closedError, commitUnknown } from './answers.ts'
import type { Database } from './database.ts'
import type { Entry, Placed } from './entry.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Append, Committed } from './ledger.ts'
import type { Mishaps } from './mishaps.ts'
import type { Registry } from './registry.ts'
import type { Tail } from './tail-file.ts'
import { usedUp } from './used-up.ts'

const defaultMaxQueued = 16_384

export interface AdmissionGround {
  readonly db: Database
  readonly registry: Registry
  readonly commits: () => GroupCommit
  readonly mishaps: () => Pick<Mishaps, 'failure' | 'isRecovering'>
  readonly maxQueued: number | undefined
  /** why an import lets nothing else in, if so */
  readonly importing: () => BoxError | undefined
  readonly isClosing: () => boolean
}

/** Who is let in to the next write, and what those are told who wait for one that went wrong. */
export class Admission {
  readonly #ground: AdmissionGround

  constructor(ground: AdmissionGround) {
    this.#ground = ground
  }

  append(append: Append): Promise<Committed> {
    const refusal = this.#refusal(append)
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => this.#add(append, resolve, reject))
  }

  /** Why nothing at all is taken now, if so. */
  outage(): BoxError | undefined {
    const { isClosing, mishaps, importing } = this.#ground
    if (isClosing()) return closedError()
    const { failure } = mishaps()
    return failure === undefined ? importing() : again(failure)
  }

  /** What has waited was accepted before the heads were loaded anew: it is looked at again. */
  goOn(tail: Tail): void {
    const { registry, commits } = this.#ground
    const waiting = commits().takeWaiting()
    for (const entry of waiting) registry.release(entry)
    commits().resume(tail)
    for (const { append, resolve, reject } of waiting) {
      const refusal = registry.refusal(append) ?? this.#reuse(append)
      if (refusal) reject(refusal)
      else this.#add(append, resolve, reject)
    }
  }

  giveUp(placed: readonly Placed[], cause: unknown): void {
    for (const { entry } of placed) {
      this.#ground.registry.release(entry)
      entry.reject(commitUnknown(entry, cause))
    }
  }

  rejectWaiting(error: BoxError): void {
    const { registry, commits } = this.#ground
    commits().rejectOthers(again(error))
    for (const entry of commits().takeWaiting()) {
      registry.release(entry)
      entry.reject(again(error))
    }
  }

  #add(append: Append, resolve: Entry['resolve'], reject: Entry['reject']): void {
    const { registry, commits } = this.#ground
    const before = registry.heads.get(append.box)
    const entry = { append, before, executions: registry.executionsBefore(append), resolve, reject }
    try {
      commits().add(entry)
      registry.claim(entry)
    } catch (cause) {
      entry.reject(new BoxError('INVALID_ARGUMENT', 'The transition is not JSON', { cause }))
    }
  }

  #refusal(append: Append): BoxError | undefined {
    const { registry, commits, maxQueued = defaultMaxQueued } = this.#ground
    const outage = this.outage()
    if (outage) return outage
    const { length: waiting } = commits()
    if (waiting >= maxQueued)
      return new BoxError('ENGINE_OVERLOADED', 'Too many transitions wait for the disk; try again later', {
        details: { waiting },
      })
    return registry.refusal(append) ?? this.#reuse(append)
  }

  /** Only what is new has to ask the disk. */
  #reuse(append: Append): BoxError | undefined {
    return this.#ground.mishaps().isRecovering ? undefined : usedUp(this.#ground.db, append)
  }
}
