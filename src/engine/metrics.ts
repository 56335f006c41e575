import { join } from 'node:path'
import { BoxError, type LedgerRecord, type PublicState, publicStateOf } from '../machines/index.ts'
import { sizeOf } from '../store/index.ts'
import type { Engine } from './engine.ts'

/** What a runtime has to tell in numbers. */
export interface RuntimeMetrics {
  /** of the last record that was counted */
  readonly position: number
  /** boxes that are not removed */
  readonly boxes: { readonly total: number; readonly byState: Readonly<Partial<Record<PublicState, number>>> }
  /** over the life of the home, removed boxes too, as all that follows */
  readonly created: number
  readonly removed: number
  /** starts that failed */
  readonly failed: number
  readonly crashed: number
  /** starts by a restart policy */
  readonly restarts: number
  /** commands that were run in boxes; main commands are none of them */
  readonly executions: number
  readonly ledger: {
    readonly records: number
    /** on disk, the archive not counted, in `bytes` */
    readonly bytes: number
  }
}

type Counts = Record<'created' | 'removed' | 'failed' | 'crashed' | 'restarts' | 'executions', number>

/**
 * Counts what the ledger tells, so that the numbers survive restarts: all of it when it is first asked for, and then what
 * has come since.
 */
export class Metrics {
  readonly #engine: Engine
  readonly #counts: Counts = { created: 0, removed: 0, failed: 0, crashed: 0, restarts: 0, executions: 0 }
  #next = 1
  #counting: Promise<void> = Promise.resolve()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async read(): Promise<RuntimeMetrics> {
    this.#counting = this.#counting.catch(() => {}).then(() => this.#count())
    await this.#counting
    const byState: Partial<Record<PublicState, number>> = {}
    let total = 0
    for (const { state } of this.#engine.ledger.heads()) {
      const name = publicStateOf(state.value)
      byState[name] = (byState[name] ?? 0) + 1
      total += 1
    }
    const { position } = this.#engine.ledger.tail
    return {
      position: this.#next - 1,
      boxes: { total, byState },
      ...this.#counts,
      ledger: { records: position, bytes: sizeOf(join(this.#engine.home, 'ledger')) },
    }
  }

  async #count(): Promise<void> {
    while (this.#next <= this.#engine.ledger.tail.position)
      try {
        for await (const record of this.#engine.ledger.read({ from: this.#next })) {
          this.#add(record)
          this.#next = record.position + 1
        }
      } catch (error) {
        // What is damaged cannot be counted; the rest can.
        const position = BoxError.is(error, 'LEDGER_CORRUPT') ? error.details.position : undefined
        if (typeof position !== 'number' || position < this.#next) throw error
        this.#next = position + 1
      }
  }

  #add({ event, from, to }: LedgerRecord): void {
    if (event.type === 'box.created') this.#counts.created += 1
    if (event.type === 'exec.started') this.#counts.executions += 1
    if (event.type === 'box.removed') this.#counts.removed += 1
    if (from === to) return
    if (to === 'failed' || to === 'crashed') this.#counts[to] += 1
    if (to === 'starting' && event.type === 'timer.fired') this.#counts.restarts += 1
  }
}
