import type { LedgerRecord } from '../machines/index.ts'

/** How long each stage of a start took, in `ms`; of a start under way those that are over. */
export interface StartTimes {
  /** when it was asked for, ISO time */
  readonly at: string
  readonly stages: Readonly<Partial<Record<StartStage, number>>>
  /** in `ms`, from when it was asked for to the end of the last stage */
  readonly totalMs: number
}

export type StartStage =
  | 'queued'
  | 'preparing'
  | 'spawning'
  | 'connecting'
  | 'creating'
  | 'booting'
  | 'waiting'

/** Which stage each fact is the end of. */
const ends: Readonly<Partial<Record<LedgerRecord['event']['type'], StartStage>>> = {
  'vmm.spawned': 'spawning',
  'vmm.ready': 'connecting',
  'vm.created': 'creating',
  'vm.booted': 'booting',
  'guest.ready': 'waiting',
}

/** Folds a box's records, by version, to the times of its last start; undefined: it was never started. */
export class StartTimesFold {
  #at: string | undefined
  #last = 0
  #stages: Partial<Record<StartStage, number>> = {}

  add({ event, from, to, at }: LedgerRecord): void {
    if (to === 'starting' && from !== 'starting') {
      this.#at = at
      this.#last = Date.parse(at)
      this.#stages = {}
      return
    }
    if (from !== 'starting') return
    const stage = event.type === 'start.stage' ? stageBefore[event.stage] : ends[event.type]
    if (stage === undefined || this.#stages[stage] !== undefined) return
    const time = Date.parse(at)
    // A clock that was set back makes no stage shorter than nothing.
    this.#stages[stage] = Math.max(0, time - this.#last)
    this.#last = time
  }

  get times(): StartTimes | undefined {
    if (this.#at === undefined) return undefined
    const totalMs = Object.values(this.#stages).reduce((sum, ms) => sum + ms, 0)
    return { at: this.#at, stages: { ...this.#stages }, totalMs }
  }
}

const stageBefore = { preparing: 'queued', spawning: 'preparing' } as const satisfies Record<
  string,
  StartStage
>
