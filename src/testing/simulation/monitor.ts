import { createHash } from 'node:crypto'
import type { Clock } from '../../engine/index.ts'
import {
  type Effect,
  type EndingCause,
  type Head,
  isExecutionHead,
  type LedgerRecord,
} from '../../machines/index.ts'
import type { Committed } from '../../store/index.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { RecordRules } from '../invariants/record-rules.ts'
import type { InvariantName, Violation } from '../invariants/violation.ts'
import type { TimelineEntry } from './timeline.ts'

/** A sentence if a record breaks a rule; `head` is the box after it. */
export type Rule = (record: LedgerRecord, head: Head) => string | undefined

export interface MonitorOptions {
  readonly clock: Clock
  readonly disk: SimulatedDisk
  readonly rule: Rule | undefined
  /** keep what happened, for people to read */
  readonly timeline: boolean
}

/** Watches one simulated world through all lives of its engine, and notes what must not be. */
export class Monitor {
  readonly violations: Violation[] = []
  readonly timeline: TimelineEntry[] = []
  readonly endings: Partial<Record<EndingCause, number>> = {}
  /** last record that was told as durable */
  last: Pick<LedgerRecord, 'position' | 'hash'> = { position: 0, hash: '' }
  readonly #options: MonitorOptions
  readonly #rules = new RecordRules((...broken) => this.note(...broken))
  readonly #names = new Map<string, string>()
  /** last incarnation of each box whose ending is counted */
  readonly #ended = new Map<string, number>()

  readonly #hash = createHash('sha256')
  /** when boxes that exist were created, in `ms` since the beginning */
  readonly #created = new Map<string, number>()
  #pastBoxMs = 0

  constructor(options: MonitorOptions) {
    this.#options = options
  }

  get hash(): string {
    return this.#hash.copy().update(this.last.hash).digest('hex')
  }

  get boxHours(): number {
    const now = this.#options.clock.monotonic()
    let ms = this.#pastBoxMs
    for (const created of this.#created.values()) ms += now - created
    return ms / 3_600_000
  }

  note(invariant: InvariantName, box: string | undefined, message: string): void {
    const at = this.#options.clock.monotonic()
    this.violations.push({ invariant, at, ...(box === undefined ? {} : { box }), message })
    this.say(`VIOLATION of ${invariant}: ${message}`, box)
  }

  say(what: string, box?: string): void {
    const at = this.#options.clock.monotonic()
    this.#hash.update(`${at} ${box} ${what}\n`)
    if (!this.#options.timeline) return
    const name = box === undefined ? undefined : this.#names.get(box)
    this.timeline.push({
      at,
      ...(box === undefined ? {} : { box }),
      ...(name === undefined ? {} : { name }),
      what,
    })
  }

  /** Records that an engine tells as durable. */
  committed(committed: readonly Committed[]): void {
    for (const { record, head } of committed) {
      if (record.execution !== undefined || isExecutionHead(head)) continue
      this.seen(record, head)
      const stored = this.#options.disk.head(record.box)
      if (stored === undefined || stored.version < record.version)
        this.note('durable', record.box, `version ${record.version} is told, and not on the disk`)
    }
  }

  /** A record, whoever told it; each once, in order. */
  seen(record: LedgerRecord, head: Head): void {
    this.#rules.see(record)
    this.last = record
    const { box, event, from, to } = record
    const { name, ending } = head.state.context
    if (name === null) this.#names.delete(box)
    else this.#names.set(box, name)
    const now = this.#options.clock.monotonic()
    if (event.type === 'box.created') this.#created.set(box, now)
    if (to === 'removed') {
      this.#pastBoxMs += now - (this.#created.get(box) ?? now)
      this.#created.delete(box)
    }
    this.say(`${event.type}: ${from === to ? to : `${from || 'nothing'} → ${to}`}`, box)
    const { incarnation } = head.state.context
    if (ending !== null && this.#ended.get(box) !== incarnation) {
      this.#ended.set(box, incarnation)
      this.endings[ending.cause] = (this.endings[ending.cause] ?? 0) + 1
    }
    const broken = this.#options.rule?.(record, head)
    if (broken !== undefined) this.note('rule', box, broken)
  }

  /** Version of a box's last accepted start or restart; 0: there was none. */
  startAskedFor(box: string): number {
    return this.#rules.askedFor(box)
  }

  /** An effect is about to be carried out. */
  effect(box: string, { id, type }: Pick<Effect, 'id' | 'type'>): void {
    const stored = this.#options.disk.head(box)
    const asked = Object.values(stored?.state.effects ?? {}).some(effect => effect.id === id)
    if (!asked) this.note('intent-first', box, `${type} ${id} is begun, and no durable record asks for it`)
  }

  /** The files of a box are about to be removed. */
  removal(box: string): void {
    const effects = Object.values(this.#options.disk.head(box)?.state.effects ?? {})
    if (!effects.some(({ type }) => type === 'removeFiles'))
      this.note('intent-first', box, 'its files are removed, and no durable record asks for it')
  }
}
