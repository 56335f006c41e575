import { isDeepStrictEqual } from 'node:util'
import { type BoxInfo, type Engine, infoOf, records } from '../../engine/index.ts'
import { BoxError, type BoxRecord, type Head } from '../../machines/index.ts'
import { Bell } from './bell.ts'
import { headAfter } from './fold.ts'
import { headOf } from './head.ts'

/** Boxes whose state is kept at hand for a reader who is behind. */
const kept = 256

/** A box as each of its records left it. Who keeps up costs nothing; for who is behind, records are folded. */
class Past {
  readonly #engine: Engine
  readonly #heads = new Map<string, Head>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async infoAfter(record: BoxRecord): Promise<BoxInfo> {
    const now = this.#engine.ledger.head(record.box)
    const head = now?.version === record.version ? now : await this.#fold(record)
    this.#heads.delete(record.box)
    this.#heads.set(record.box, head)
    for (const [oldest] of this.#heads) if (this.#heads.size > kept) this.#heads.delete(oldest)
    return head === now ? this.#engine.info(head) : infoOf(head)
  }

  async #fold(record: BoxRecord): Promise<Head> {
    const known = this.#heads.get(record.box)
    if (record.version === 1 || known?.version === record.version - 1) return headAfter(known, record)
    let head: Head | undefined
    for await (const earlier of this.#engine.ledger.history(record.box)) {
      if (earlier.execution !== undefined) continue
      head = headAfter(head, earlier)
      if (earlier.version === record.version) return head
    }
    throw new BoxError('NOT_FOUND', `There is no record ${record.position} of box ${record.box}`)
  }
}

export interface ChangesOptions {
  /** first position; default: what comes */
  readonly from?: number
  readonly signal: AbortSignal
}

/** One info for each transition of all boxes, by position; the first line says where it begins. */
export async function* changes(
  engine: Engine,
  { from, signal }: ChangesOptions,
): AsyncGenerator<BoxInfo | { readonly position: number }, void, undefined> {
  const past = new Past(engine)
  let next = from ?? engine.tail.position + 1
  using bell = new Bell(engine, signal)
  yield { position: next - 1 }
  while (!signal.aborted) {
    for await (const record of records(engine, { from: next })) {
      next = record.position + 1
      yield record.execution === undefined ? await past.infoAfter(record) : { position: record.position }
    }
    await bell.heard()
  }
}

/** A box's current state, or its states from a position on, and what comes; over when the box is removed. */
export async function* states(
  engine: Engine,
  box: string,
  { from, signal }: ChangesOptions,
): AsyncGenerator<BoxInfo, void, undefined> {
  const past = new Past(engine)
  using bell = new Bell(engine, signal, box)
  const head = await headOf(engine, box)
  let shown: BoxInfo | undefined
  let next = from ?? head.position + 1
  if (from === undefined) {
    shown = engine.info(head)
    yield shown
  }
  while (!signal.aborted && shown?.state !== 'removed') {
    const end = engine.tail.position
    for await (const record of records(engine, { from: next, box })) {
      next = record.position + 1
      if (record.execution !== undefined) continue
      shown = await past.infoAfter(record)
      yield shown
    }
    next = Math.max(next, end + 1)
    const now = engine.ledger.head(box)
    if (now === undefined && shown === undefined) return
    // What is known of a box beside its records changes without one, such as whether its VMM responds.
    const info = now !== undefined && now.position < next ? engine.info(now) : shown
    if (info !== undefined && !isDeepStrictEqual(info, shown)) {
      shown = info
      yield info
    }
    if (shown?.state !== 'removed') await bell.heard()
  }
}
