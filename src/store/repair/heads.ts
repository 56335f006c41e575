import type { StreamHead } from '../../machines/index.ts'
import { decodeHead, decodeSealed, seal } from '../codec.ts'
import { isOver, nameOf } from '../entry.ts'
import { executionsKey, headKey, nameKey, parkedKey, removedKey, suffixOf } from '../keys.ts'
import type { Parked } from '../ledger.ts'
import { type BoxHistories, headOf } from './box-histories.ts'
import type { Findings } from './findings.ts'
import type { NewLedger } from './new-ledger.ts'

interface HeadsInput {
  readonly findings: Findings
  readonly ledger: NewLedger
  readonly histories: BoxHistories
  /** last position of the chain */
  readonly end: number
}

/**
 * Gives every box its head: the one that its records fold to, else the stored one where that agrees with them. A box
 * for which there is neither is parked; a parked box keeps its stored head, if that is good, so that it is listed as it
 * was. Names follow heads.
 */
export async function settleHeads(input: HeadsInput): Promise<ReadonlyMap<string, Parked>> {
  const { findings, ledger, histories, end } = input
  const stored = new StoredHeads(end)
  for (const prefix of ['h/', 'r/'])
    for await (const { key, values } of findings.states(prefix)) stored.take(suffixOf(key), values, histories)

  const heads: StreamHead[] = []
  for (const [box, history] of histories.all) {
    if (history.isSettled && history.parked === undefined) continue
    const kept = stored.of(box)
    const agrees =
      kept?.version === history.version &&
      kept.position === history.position &&
      kept.bodyHash === history.bodyHash
    const head = history.parked
      ? kept
      : (headOf(box, history, histories.executions.get(box)) ?? (agrees ? kept : undefined))
    if (head === undefined && history.parked === undefined)
      histories.park(box, history.position, 'the history does not fold, and the head is lost')
    if (head !== undefined) heads.push(head)
  }
  const names = await giveNames(heads, input)
  await keepNamesOfParked(names, input)

  const parked = new Map<string, Parked>()
  const removed = new Set(heads.filter(isOver).map(({ box }) => box))
  for (const [box, history] of histories.all) {
    if (history.parked === undefined) continue
    const isGone = ['removed', 'ended', 'lost'].includes(history.to) || removed.has(box)
    const why: Parked = { ...history.parked, ...(isGone ? { removed: true } : {}) }
    parked.set(box, why)
    await ledger.putSealed(parkedKey(box), why)
  }
  await countExecutions(histories, removed, ledger)
  await ledger.flush()
  return parked
}

/** How many executions each box has had that is not removed. */
async function countExecutions(
  { all, executions }: BoxHistories,
  removed: ReadonlySet<string>,
  ledger: NewLedger,
): Promise<void> {
  for (const [box, count] of executions)
    if (all.get(box)?.isSettled !== true && !removed.has(box))
      await ledger.put(executionsKey(box), seal(String(count)))
}

/** Puts heads and their names; gives the names. Of two boxes with one name the older claim is out of date. */
async function giveNames(
  heads: readonly StreamHead[],
  { ledger, histories }: HeadsInput,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  const soundFirst = (a: StreamHead, b: StreamHead) =>
    Number(histories.all.get(a.box)?.parked !== undefined) -
      Number(histories.all.get(b.box)?.parked !== undefined) || b.position - a.position
  for (const head of [...heads].sort(soundFirst)) {
    const name = nameOf(head)
    if (name !== null && names.has(name)) {
      histories.park(head.box, head.position, 'another box has its name since: later records of it are lost')
      continue
    }
    await ledger.putSealed(isOver(head) ? removedKey(head.box) : headKey(head.box), head)
    if (name === null) continue
    names.add(name)
    await ledger.putSealed(nameKey(name), { box: head.box })
  }
  return names
}

/** A parked box without a head still has its name, as the index had it. */
async function keepNamesOfParked(
  taken: ReadonlySet<string>,
  { findings, ledger, histories }: HeadsInput,
): Promise<void> {
  for await (const { key, values } of findings.states('n/')) {
    const name = suffixOf(key)
    const box = boxOf(values[0])
    const isParked = box !== undefined && histories.all.get(box)?.parked !== undefined
    if (isParked && !taken.has(name)) await ledger.putSealed(nameKey(name), { box })
  }
}

function boxOf(sealed: string | undefined): string | undefined {
  return (decodeSealed(sealed) as { readonly box: string } | undefined)?.box
}

/** The newest good head that was found of each box. */
class StoredHeads {
  readonly #end: number
  readonly #heads = new Map<string, StreamHead>()

  constructor(end: number) {
    this.#end = end
  }

  /** A head that is ahead of its box's records proves that there were more. */
  take(box: string, values: readonly (string | undefined)[], histories: BoxHistories): void {
    for (const value of values) {
      const head = decodeHead(value)
      if (head?.box !== box || head.position > this.#end) continue
      const history = histories.all.get(box)
      if (head.version > (history?.version ?? 0)) histories.miss(box, head.position, head.version)
      if (head.version >= (this.#heads.get(box)?.version ?? history?.version ?? 0)) this.#heads.set(box, head)
    }
  }

  of(box: string): StreamHead | undefined {
    return this.#heads.get(box)
  }
}
