import { BoxError } from '../../machines/index.ts'
import type { Beside } from '../beside.ts'
import { positionsOf } from '../box-positions.ts'
import { noHash, sha256 } from '../codec.ts'
import type { Database } from '../database.ts'
import { frameKey } from '../keys.ts'
import type { Parked } from '../ledger.ts'
import type { Tail } from '../tail-file.ts'
import { textPages, textsAt } from '../texts.ts'
import { besideLines } from './beside.ts'
import { ChainLines } from './chain-lines.ts'
import { headerLine } from './line.ts'

/** What an export has to know of the ledger that it is of. */
export interface ExportSource {
  /** reads, and waits for the ledger where it mends itself */
  readonly reading: <T>(read: (db: Database) => Promise<T>) => Promise<T>
  /** the last record that belongs to it: what comes meanwhile does not */
  readonly tail: Tail
  readonly beside: Beside
  readonly parked: ReadonlyMap<string, Parked>
}

/** A ledger, or one box, in pages of lines. Rejects with `LEDGER_CORRUPT` (`details.position`) at a damaged record. */
export function exportLines(box: string | undefined, source: ExportSource): AsyncGenerator<string[]> {
  return box === undefined ? exportAll(source) : exportBox(box, source)
}

async function* exportAll(source: ExportSource): AsyncGenerator<string[]> {
  const { reading, tail, beside } = source
  const { losses, archive } = beside
  const besides = await reading(db => besideLines(db, losses))
  const { position, hash } = tail
  yield [headerLine({ box: null, position, hash, beside: besides.length }), ...besides]
  const chain = new ChainLines(losses, 1 + besides.length)
  for await (const page of textPages(reading, archive, 1, position)) yield chain.page(page)
  yield chain.end(position, hash)
}

/** One box with its executions, at the positions that they have; what is between them is said to be elsewhere. */
async function* exportBox(box: string, source: ExportSource): AsyncGenerator<string[]> {
  const { reading, tail, beside, parked } = source
  const { losses, archive } = beside
  const why = [...parked].find(([stream]) => stream === box || stream.startsWith(`${box}.`))?.[1]
  if (why !== undefined)
    throw new BoxError(
      'LEDGER_CORRUPT',
      `Box ${box} is parked, and cannot be exported alone: ${why.reason}`,
      {
        details: { box, ...why },
      },
    )
  const { positions, damage } = await reading(db => positionsOf(db, box, tail.position))
  if (damage) throw damage
  const last = positions.at(-1) ?? 0
  const lastFrame = last === 0 ? undefined : await reading(db => db.get(frameKey(last)))
  const lastHash = lastFrame === undefined ? noHash : sha256(lastFrame)
  const hash = losses.hashAt(last) ?? lastHash
  yield [headerLine({ box, position: last, hash, beside: 0 })]
  const chain = new ChainLines(losses, 1)
  for (let at = 0; at < positions.length; at += pageSize) {
    const wanted = [...positions.subarray(at, at + pageSize)]
    const found = await reading(db => textsAt(db, archive, wanted))
    const missing = wanted.find((position, n) => found[n]?.position !== position)
    if (missing !== undefined)
      throw new BoxError('LEDGER_CORRUPT', `The ledger has no frame at position ${missing}`, {
        details: { position: missing, box },
      })
    yield chain.pageOf(found)
  }
  yield chain.end(last, hash)
}

const pageSize = 1_024
