import type { Schema } from '../../machines/index.ts'
import { decodeBody, decodeHead, seal } from '../codec.ts'
import type { Database } from '../database.ts'
import { isOver } from '../entry.ts'
import { type CommandLine, decodeHeader, decodeLine, type Header, type ParkedLine } from '../export/line.ts'
import type { Ownership } from '../journal.ts'
import {
  bodyKey,
  commandKey,
  frameKey,
  headKey,
  homeKey,
  importingKey,
  lossKey,
  nameKey,
  ownerKey,
  owners,
  removedKey,
} from '../keys.ts'
import { NewLedger, type Put } from '../repair/new-ledger.ts'
import { badLine, Lines, type NumberedLine } from './lines.ts'
import { type Item, Proof } from './prove.ts'
import type { ImportReport } from './report.ts'
import { Streams } from './streams.ts'
import { beginImport, discardImport } from './unfinished.ts'

export interface ImportInput {
  readonly db: Database
  readonly lines: AsyncIterable<string>
  /** the present ownership, in which nothing was recorded yet */
  readonly ownership: Ownership
  readonly schema: Schema
  /** writes beside the chain, in turn with all other writes */
  readonly write: (write: () => Promise<void>) => Promise<void>
  /** each write waits for the disk */
  readonly sync: boolean
  /** ISO time */
  readonly at: string
  /** fires when it is not wanted any more */
  readonly signal: AbortSignal
}

export interface Imported {
  readonly report: ImportReport
  /** the present one, which comes after all that are in the records */
  readonly ownership: Ownership
}

/**
 * Fills an empty ledger from an export, record by record, each proven. Until the last batch the database says that
 * nothing in it counts; what fails before is thrown away. Throws `LEDGER_CORRUPT` (`details.line`), `FORMAT_UNSUPPORTED`,
 * `INVALID_STATE` if the ledger is not empty.
 */
export async function importLines(input: ImportInput): Promise<Imported> {
  const { db, ownership, write, at, sync } = input
  const lines = new Lines(input.lines, input.signal)
  let isBegun = false
  try {
    await write(() => beginImport(db, at, ownership.engine, sync))
    isBegun = true
    const imported = await fill(lines, input)
    isBegun = false
    return imported
  } finally {
    lines.leave()
    if (isBegun) await write(() => discardImport(db, sync))
  }
}

async function fill(lines: Lines, { db, schema, write, sync, ...input }: ImportInput): Promise<Imported> {
  const ledger = new NewLedger(db, (puts: readonly Put[]) => write(() => db.batch([...puts], { sync })))
  const streams = new Streams(ledger)
  const header = await headerOf(lines)
  for (let n = 0; n < header.beside; n += 1) await takeBeside(await lines.next(), n + 2, ledger, streams)
  let records = 0
  for await (const item of new Proof(lines, header).items()) {
    await take(item, ledger, streams, schema)
    if ('frame' in item && item.body !== undefined) records += 1
  }
  await streams.finish()
  await ledger.flush()
  const ownership = await settle(streams, { db, write, ...input })
  const { box, position, hash } = header
  return {
    ownership,
    report: {
      ...{ records, boxes: streams.boxes, position, hash },
      ...(box === null ? {} : { box }),
      parked: [...streams.parked].map(([stream, why]) => ({
        box: stream,
        ...(why.position === undefined ? {} : { position: why.position }),
        reason: why.reason,
      })),
    },
  }
}

async function headerOf(lines: Lines): Promise<Header> {
  const first = await lines.next()
  if (first === undefined) throw badLine(1, 'there is none, not even the first')
  const header = decodeHeader(first.text)
  if (header === undefined) throw badLine(1, 'it is not the first line of an export, or damaged')
  return header
}

async function takeBeside(
  next: NumberedLine | undefined,
  line: number,
  ledger: NewLedger,
  streams: Streams,
): Promise<void> {
  const { parked, command } = (decodeLine(next?.text ?? '') ?? {}) as {
    readonly parked?: ParkedLine
    readonly command?: CommandLine
  }
  if (command !== undefined) {
    const { id, box, position } = command
    await ledger.putSealed(commandKey(id), { box, position })
    return
  }
  if (parked === undefined)
    throw badLine(
      line,
      next === undefined ? 'the export is cut off here' : 'it is damaged, or in the wrong place',
    )
  const { box, name, head, ...why } = parked
  streams.park(box, why)
  const known = decodeHead(head)
  if (head !== undefined && known !== undefined)
    await ledger.put(isOver(known) ? removedKey(box) : headKey(box), head)
  if (name !== undefined) await ledger.putSealed(nameKey(name), { box })
}

async function take(item: Item, ledger: NewLedger, streams: Streams, schema: Schema): Promise<void> {
  if ('lost' in item) return ledger.putSealed(lossKey(item.lost.from), item.lost)
  const { frame, text, body: stored } = item
  const { box, version, position } = frame
  const body = decodeBody(stored?.text, schema)
  const place = { position, box }
  if (stored !== undefined && body === undefined)
    throw badLine(stored.line, 'what it says is no record', place)
  const problem = await streams.take(frame, body)
  if (problem !== undefined) throw badLine(stored?.line ?? 0, problem, place)
  await ledger.put(frameKey(position), text)
  if (stored === undefined || body === undefined) return
  await ledger.put(bodyKey(box, version, position), stored.text)
  const { commandId } = body.meta
  if (commandId !== undefined) await ledger.putSealed(commandKey(commandId), { box, position })
}

/** The last batch: the journal has the ownerships that the records were written in, and all of it counts. */
async function settle(
  { epochs }: Streams,
  { db, write, ...input }: Pick<ImportInput, 'db' | 'write' | 'ownership'>,
): Promise<Ownership> {
  const last = Math.max(0, ...epochs.keys())
  const ownership: Ownership = { ...input.ownership, epoch: last + 1 }
  const before = await db.keys(owners).all()
  const journal: Ownership[] = []
  for (let epoch = 1; epoch <= last; epoch += 1) {
    const { at = '', bootId = '', engine = '' } = epochs.get(epoch) ?? {}
    journal.push({ epoch, opened: at, bootId, engine, pid: 0, durability: 'sync' })
  }
  await write(() => {
    const batch = db.batch().del(importingKey)
    for (const key of before) batch.del(key)
    for (const each of [...journal, ownership]) batch.put(ownerKey(each.epoch), seal(JSON.stringify(each)))
    // Nowhere at home: inert, as a copy is.
    return batch.put(homeKey, seal('{}')).write({ sync: true })
  })
  return ownership
}
