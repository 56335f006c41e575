import { setImmediate as turn } from 'node:timers/promises'
import type { BoxRuntime, EventsOptions, LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import type { Random } from '../../support/seed.ts'

/** What a reader looks for, how fast it is, and when it leaves. */
export interface Plan {
  readonly n: number
  readonly way: 'events' | 'events$' | 'subscription'
  readonly filter: Pick<EventsOptions, 'box' | 'types' | 'labels'>
  readonly from: number
  /** turns of the event loop that it takes over a record; 0: it is fast */
  readonly turns: number
  /** leaves after so many records of each session; absent: stays until all is over */
  readonly leaves?: number
  /** of what a session has seen, so many of the last records are not acknowledged */
  readonly unacknowledged: number
  /** sessions: whoever subscribes comes back, behind what it acknowledged */
  readonly sessions: number
}

/** Boxes by name, and what there is to look for. */
export interface Choice {
  readonly boxes: readonly string[]
  readonly types: readonly string[]
  readonly labels: readonly Readonly<Record<string, string>>[]
  /** positions to begin at: the last is one that is yet to come */
  readonly last: number
}

export function planOf(n: number, random: Random, { boxes, types, labels, last }: Choice): Plan {
  const maybe = <T>(share: number, make: () => T): T | undefined =>
    random.next() < share ? make() : undefined
  const box = maybe(0.3, () => random.pick(boxes))
  const some = maybe(0.5, () => types.filter(() => random.next() < 0.4))
  const wanted = maybe(0.3, () => random.pick(labels))
  const leaves = maybe(0.5, () => 1 + random.below(40))
  const way = random.pick(['events', 'events$', 'subscription'] as const)
  return {
    n,
    way,
    filter: {
      ...(box === undefined ? {} : { box }),
      ...(some === undefined ? {} : { types: some }),
      ...(wanted === undefined ? {} : { labels: wanted }),
    },
    from: 1 + random.below(last),
    turns: random.next() < 0.3 ? 1 + random.below(3) : 0,
    ...(leaves === undefined ? {} : { leaves }),
    unacknowledged: random.below(4),
    sessions: way === 'subscription' ? 1 + random.below(3) : 1,
  }
}

/** A reader under way. */
export class Reader {
  readonly plan: Plan
  /** positions that each session has seen */
  readonly sessions: number[][] = []
  readonly #end = new AbortController()
  readonly #over: Promise<void>
  #isOver = false

  constructor(runtime: BoxRuntime, plan: Plan) {
    this.plan = plan
    this.#over = this.#read(runtime)
      .catch(error => {
        if (!this.#end.signal.aborted) throw error
      })
      .finally(() => {
        this.#isOver = true
      })
  }

  /** Whether each session has seen as much as it should. */
  isThere(expected: readonly (readonly number[])[]): boolean {
    const counts = expected.map((session, n) => (this.sessions[n]?.length ?? -1) >= session.length)
    return this.#isOver || counts.every(Boolean)
  }

  async end(): Promise<void> {
    this.#end.abort()
    await this.#over
  }

  /** What each session should see, of all records that there are in the end. */
  expected(records: readonly LedgerRecord[], labelsOf: ReadonlyMap<string, object>): number[][] {
    const { filter, from, leaves, sessions, unacknowledged } = this.plan
    const labels = Object.entries(filter.labels ?? {})
    const wanted = records
      .filter(({ position, box, event }) => {
        const own = Object.entries(labelsOf.get(box) ?? {}).map(entry => entry.join('='))
        return (
          position >= from &&
          (filter.box === undefined || filter.box === box) &&
          (filter.types === undefined || filter.types.includes(event.type)) &&
          labels.every(entry => own.includes(entry.join('=')))
        )
      })
      .map(({ position }) => position)
    const all: number[][] = []
    for (let begin = 0; all.length < sessions; ) {
      const session = wanted.slice(begin, leaves === undefined ? undefined : begin + leaves)
      all.push(session)
      // A session that has not seen enough to leave is the last.
      if (leaves === undefined || session.length < leaves) break
      begin += Math.max(0, leaves - unacknowledged)
    }
    return all
  }

  async #read(runtime: BoxRuntime): Promise<void> {
    const { way, filter, from, sessions, unacknowledged, leaves = Number.POSITIVE_INFINITY, n } = this.plan
    const o = { ...filter, from, follow: true, signal: this.#end.signal }
    if (way === 'events$') return this.#observe(runtime, o)
    for (let session = 0; session < sessions; session += 1) {
      const { signal: _, ...given } = o
      const named = runtime.subscription(`reader-${n}`, { ...given, signal: o.signal })
      await this.#take(way === 'events' ? runtime.events(o) : named, async seen => {
        const position = seen.at(-1 - unacknowledged)
        if (way === 'subscription' && position !== undefined) await named.ack(position)
        return seen.length < leaves
      })
    }
  }

  async #take(
    records: AsyncIterable<LedgerRecord>,
    goesOn: (seen: readonly number[]) => Promise<boolean>,
  ): Promise<void> {
    const seen: number[] = []
    this.sessions.push(seen)
    for await (const { position } of records) {
      for (let n = 0; n < this.plan.turns; n += 1) await turn()
      seen.push(position)
      if (!(await goesOn(seen))) return
    }
  }

  #observe(runtime: BoxRuntime, o: EventsOptions): Promise<void> {
    const { leaves = Number.POSITIVE_INFINITY } = this.plan
    const seen: number[] = []
    this.sessions.push(seen)
    return new Promise((resolve, reject) => {
      const subscription = runtime.events$(o).subscribe({
        next: ({ position }) => {
          seen.push(position)
          if (seen.length < leaves) return
          subscription.unsubscribe()
          resolve()
        },
        error: reject,
        complete: resolve,
      })
    })
  }
}

/** Waits until all have seen what they should, and then that they see nothing more. */
export async function assertAllSee(runtime: BoxRuntime, readers: readonly Reader[]): Promise<void> {
  const records: LedgerRecord[] = []
  const labelsOf = new Map<string, object>()
  for await (const record of runtime.events()) {
    records.push(record)
    if (record.event.type === 'box.created') labelsOf.set(record.box, record.event.labels)
  }
  const wanted = new Map(readers.map(reader => [reader, reader.expected(records, labelsOf)]))
  await eventually(() => readers.every(reader => reader.isThere(wanted.get(reader) ?? [])), {
    what: 'what readers should see',
    timeoutMs: 20_000,
  }).catch(() => {
    // The comparison below tells who has not.
  })
  for (let n = 0; n < 5; n += 1) await turn()
  await Promise.all(readers.map(reader => reader.end()))
  for (const reader of readers) assert.equal(reader.sessions, wanted.get(reader), JSON.stringify(reader.plan))
}
