import type { BoxRuntime, LedgerRecord } from '../index.ts'
import { eventWords } from './record-words.ts'

/** Longest usual event name, `restart.requested` */
const eventWidth = 17
/** Longest usual step, `configured -> removing` */
const stepWidth = 22

/**
 * A record for people: position, time, box, event, step, and what matters of the event. Names are learnt from the
 * records themselves, so that a box is called what it was called then.
 */
export class RecordLines {
  readonly #names = new Map<string, string | null>()

  /** `known`: names of boxes whose creation is not among the records */
  constructor(known: ReadonlyMap<string, string> = new Map()) {
    for (const [id, name] of known) this.#names.set(id, name)
  }

  format(record: LedgerRecord): string {
    const { position, at, box, event, from, to, meta } = record
    if (event.type === 'box.created' || event.type === 'box.renamed') this.#names.set(box, event.name)
    const step = from === '' || from === to ? to : `${from} -> ${to}`
    const cells = [
      String(position).padStart(6),
      at.replace('T', ' '),
      (this.#names.get(box) ?? box).padEnd(12),
      event.type.padEnd(eventWidth),
      step.padEnd(stepWidth),
      [record.execution, eventWords(event), meta.actor && `by ${meta.actor}`].filter(Boolean).join(' '),
    ]
    return cells.join('  ').trimEnd()
  }
}

/** Lines that know what boxes are called now. */
export async function recordLines(runtime: BoxRuntime): Promise<RecordLines> {
  const infos = await runtime.listInfo()
  return new RecordLines(new Map(infos.map(({ id, name }) => [id, name ?? id])))
}
