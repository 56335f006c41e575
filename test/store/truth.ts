import { isDeepStrictEqual } from 'node:util'
import { type ExecutionHead, type Head, type LedgerRecord, streamOf } from 'boxledger/machines'
import type { Ledger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { all, submit } from './boxes.ts'

/** Everything that a ledger has told as durable. */
export interface Truth {
  readonly records: readonly LedgerRecord[]
  /** of living boxes */
  readonly heads: ReadonlyMap<string, Head>
  readonly removed: ReadonlyMap<string, Head>
  /** of executions that are running, by their streams */
  readonly executions: ReadonlyMap<string, ExecutionHead>
  /** how many living boxes have had */
  readonly counts: ReadonlyMap<string, number>
  readonly commands: ReadonlyMap<string, { readonly box: string; readonly position: number }>
}

export async function truthOf(ledger: Ledger): Promise<Truth> {
  const records = await all(ledger.read())
  const heads = new Map([...ledger.heads()].map(head => [head.box, head]))
  const removed = new Map<string, Head>()
  const commands = new Map<string, { box: string; position: number }>()
  for (const { box, position, to, meta } of records) {
    const head = to === 'removed' ? await ledger.removedHead(box) : undefined
    if (head) removed.set(box, head)
    if (meta.commandId !== undefined) commands.set(meta.commandId, { box, position })
  }
  const executions = new Map([...ledger.executions()].map(head => [head.box, head]))
  const counts = new Map([...heads.keys()].map(box => [box, ledger.executionsOf(box)]))
  return { records, heads, removed, executions, counts, commands }
}

/** What came of asking for everything: `told` counts the questions that were answered with a clear error. */
export interface Answers {
  readonly right: number
  readonly told: number
}

/**
 * Asks an open ledger for everything. Each answer has to be the right one, or `LEDGER_CORRUPT` with a place; boxes that
 * are not parked have to work.
 */
export async function holdAgainst(ledger: Ledger, truth: Truth, what: string): Promise<Answers> {
  let right = 0
  let told = 0
  const is = (value: unknown, expected: unknown, asked: string) => {
    if (isDeepStrictEqual(value, expected)) right += 1
    else assert.equal(value, expected, `${what}: ${asked}`)
  }
  const ask = async (asked: string, question: () => Promise<unknown>, expected: unknown) => {
    try {
      is(await question(), expected, asked)
    } catch (error) {
      assertPlace(error, `${what}: ${asked}`)
      told += 1
    }
  }
  for (const [box, head] of truth.heads) {
    const found = ledger.head(box)
    if (found === undefined && ledger.parked.has(box)) told += 1
    else is(found, head, `head of ${box}`)
    const { name } = head.state.context
    if (name !== null) is(ledger.claimant(name), box, `name ${name}`)
  }
  for (const { box } of ledger.heads()) assert.ok(truth.heads.has(box), `${what}: ${box} is invented`)
  for (const [stream, head] of truth.executions) {
    const found = ledger.execution(stream)
    if (found === undefined && ledger.parked.has(stream)) told += 1
    else is(found, head, `head of ${stream}`)
  }
  for (const { box } of ledger.executions())
    assert.ok(truth.executions.has(box), `${what}: ${box} is invented`)
  for (const [box, count] of truth.counts) is(ledger.executionsOf(box), count, `executions of ${box}`)
  for (const stream of new Set(truth.records.map(streamOf))) {
    const history = truth.records.filter(record => streamOf(record) === stream)
    await ask(`history of ${stream}`, () => proven(ledger.history(stream), history), history.length)
  }
  for (const box of truth.heads.keys()) {
    const all = truth.records.filter(record => record.box === box)
    await ask(`all of ${box}`, () => proven(ledger.read({ box }), all), all.length)
  }
  for (const [box, head] of truth.removed)
    await ask(`head of removed ${box}`, () => ledger.removedHead(box), head)
  for (const [id, place] of truth.commands) await ask(`command ${id}`, () => ledger.command(id), place)
  await ask('all records', () => proven(ledger.read(), truth.records), truth.records.length)
  return { right, told }
}

/** Boxes that are not parked go on, those that are say why. Changes the ledger. */
export async function othersWork(ledger: Ledger, truth: Truth, what: string): Promise<void> {
  for (const box of truth.heads.keys()) {
    const renamed = { type: 'box.renamed', name: `again-${box}-${ledger.tail.position}` } as const
    if (!ledger.parked.has(box)) await submit(ledger, box, renamed)
    else if (ledger.head(box) !== undefined)
      await submit(ledger, box, renamed).then(
        () => assert.unreachable(`${what}: ${box} is parked and takes a transition`),
        error => assertPlace(error, `${what}: ${box}`),
      )
  }
}

/** `LEDGER_CORRUPT`, with the place. */
export function assertPlace(error: unknown, what: string): void {
  const { code, details } = error as { code?: string; details?: Record<string, unknown> }
  if (code !== 'LEDGER_CORRUPT') throw new Error(`${what}: ${String(error)}`, { cause: error })
  const places = ['position', 'box', 'file', 'key', 'commandId'].filter(
    place => details?.[place] !== undefined,
  )
  assert.ok(places.length > 0, `${what}: no place in ${String(error)}`)
}

/** Holds each record against the one it should be, also those before an error; gives their number. */
async function proven(
  reading: AsyncIterable<LedgerRecord>,
  expected: readonly LedgerRecord[],
): Promise<number> {
  let count = 0
  for await (const record of reading) {
    if (!isDeepStrictEqual(record, expected[count])) assert.equal(record, expected[count])
    count += 1
  }
  return count
}
