import {
  BoxError,
  type BoxSpec,
  type BoxState,
  type Difference,
  delayOf,
  differencesOf,
  type LedgerRecord,
  pathOf,
  replay,
  type StreamState,
} from '../../machines/index.ts'
import type { Step, Story } from '../../viewer/story.ts'
import { Incarnations } from './incarnations.ts'

export interface Telling {
  /** ID of the box, or what it was asked for by, if there is not one record of it */
  readonly box: string
  /** what matters of an event beside its name */
  readonly words: (event: LedgerRecord['event']) => string
  readonly now: number
}

/**
 * The records of a box and of its executions, in order, folded anew and told step by step. Records that end with
 * `LEDGER_CORRUPT` are told up to there. Rejects with whatever else they end with.
 */
export async function tellStory(
  records: AsyncIterable<LedgerRecord>,
  { box, words, now }: Telling,
): Promise<Story> {
  const told = new Told(words)
  let damage: string | undefined
  try {
    for await (const record of records) told.take(record)
  } catch (error) {
    if (!BoxError.is(error, 'LEDGER_CORRUPT')) throw error
    damage = error.message
  }
  return { id: told.id ?? box, toldAt: now, ...told.story(), ...(damage === undefined ? {} : { damage }) }
}

class Told {
  readonly #words: Telling['words']
  readonly #steps: Step[] = []
  /** of each stream, its state, as far as it can be folded */
  readonly #states = new Map<string, StreamState | undefined>()
  readonly #boots: string[] = []
  readonly #engines: string[] = []
  readonly #incarnations = new Incarnations()
  #id: string | undefined
  #name: string | null = null
  #spec: BoxSpec | undefined
  #unfolded: number | undefined

  constructor(words: Telling['words']) {
    this.#words = words
  }

  get id(): string | undefined {
    return this.#id
  }

  take(record: LedgerRecord): void {
    const { event, execution, meta, position, version, timers, hash } = record
    const before = this.#states.get(execution ?? '')
    const state = replay(before, record)
    this.#states.set(execution ?? '', state)
    this.#id ??= record.box
    if (state === undefined) this.#unfolded ??= position
    if (event.type === 'box.created') this.#spec = event.spec
    if (event.type === 'box.created' || event.type === 'box.renamed') this.#name = event.name
    if (isBoxState(state)) this.#incarnations.take(this.#steps.length, state)
    this.#steps.push({
      position,
      version,
      ...(execution === undefined ? {} : { execution }),
      at: Date.parse(record.at),
      event,
      words: this.#words(event),
      from: before === undefined ? record.from : pathOf(before.value),
      to: state === undefined ? record.to : pathOf(state.value),
      effects: record.effects.map(({ id, type }) => ({ id, type })),
      timers: {
        set: timers.set.map(({ id, dueAt }) => ({ id: delayOf(id), dueAt })),
        cancelled: timers.cancelled.map(delayOf),
      },
      differences: state === undefined ? [] : changes(before, state),
      incarnation: event.incarnation,
      ...(meta.cause === undefined ? {} : { cause: meta.cause }),
      ...(meta.commandId === undefined ? {} : { commandId: meta.commandId }),
      ...(meta.actor === undefined ? {} : { actor: meta.actor }),
      boot: indexIn(this.#boots, meta.bootId),
      epoch: meta.epoch,
      engine: indexIn(this.#engines, meta.engine),
      hash,
    })
  }

  story(): Omit<Story, 'id' | 'toldAt' | 'damage'> {
    return {
      name: this.#name,
      spec: this.#spec === undefined ? [] : specPhrases(this.#spec),
      steps: this.#steps,
      incarnations: this.#incarnations.list(this.#steps.length),
      boots: this.#boots,
      engines: this.#engines,
      ...(this.#unfolded === undefined ? {} : { unfolded: this.#unfolded }),
    }
  }
}

/** What a reader of differences looks for; the state's value is told as `from` and `to`. */
function changes(before: StreamState | undefined, after: StreamState): Difference[] {
  const nothing = { effects: {}, timers: {} }
  return differencesOf(before === undefined ? nothing : pending(before), pending(after))
}

/** Effects and timers in short: what they are is told by the steps that ask for them. */
function pending({ context, effects, timers }: StreamState) {
  return {
    ...context,
    effects: Object.fromEntries(Object.values(effects).map(({ type, id }) => [type, id])),
    timers: Object.fromEntries(Object.values(timers).map(({ id, dueAt }) => [delayOf(id), dueAt])),
  }
}

function isBoxState(state: StreamState | undefined): state is BoxState {
  return state !== undefined && !('box' in state.context)
}

function specPhrases({ image, command, cpus, memoryMib, restart, autoRemove, detach }: BoxSpec): string[] {
  return [
    image === undefined ? 'built-in guest' : typeof image === 'string' ? image : image.kernel,
    ...(command === undefined ? [] : [command.join(' ')]),
    `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`,
    `${memoryMib} MiB`,
    ...(restart.policy === 'no' ? [] : [`restart ${restart.policy}`]),
    ...(autoRemove ? ['removed when down'] : []),
    ...(detach ? [] : ['ends with its owner']),
  ]
}

/** Few different ones, told once each. */
function indexIn(known: string[], value: string): number {
  const found = known.lastIndexOf(value)
  return found >= 0 ? found : known.push(value) - 1
}
