import { BoxError, partsOf } from '../../machines/index.ts'
import type { Beside } from '../beside.ts'
import type { BoxPositions } from '../box-positions.ts'
import { noHash, sha256 } from '../codec.ts'
import type { Database } from '../database.ts'
import { frameKey } from '../keys.ts'
import type { Parked } from '../ledger.ts'
import { readPage } from '../read.ts'
import type { Tail } from '../tail-file.ts'
import { textPages, textsAt } from '../texts.ts'
import { besideLines } from './beside.ts'
import { ChainLines } from './chain-lines.ts'
import { headerLine } from './line.ts'

/** What an export has to know of the ledger that it is of. */
export interface ExportSource {
  /** reads, and waits for the ledger where it mends itself */
  readonly reading: <T>(read: (db: Database) => Promise<T>) => Promise<T>
  /** where the records of a box are, up to the tail */
  readonly placesOf: (box: string) => Promise<BoxPositions>
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
  for await (const page of textPages(reading, archive, 1, position))
    yield await proven(source, () => chain.page(page))
  yield chain.end(position, hash)
}

/** One box with its executions, at the positions that they have; what is between them is said to be elsewhere. */
async function* exportBox(box: string, source: ExportSource): AsyncGenerator<string[]> {
  const { reading, placesOf, beside, parked } = source
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
  const { positions, damage } = await placesOf(box)
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
    const foreign = found.find(({ frame }) => frame !== undefined && partsOf(frame.box).box !== box)
    if (foreign !== undefined)
      throw new BoxError('LEDGER_CORRUPT', `A record of box ${box} is missing`, { details: { box } })
    if (missing !== undefined)
      throw new BoxError('LEDGER_CORRUPT', `The ledger has no frame at position ${missing}`, {
        details: { position: missing, box },
      })
    yield await proven(source, () => chain.pageOf(found))
  }
  yield chain.end(last, hash)
}

/** Where a link between two records breaks, what follows tells which of them is damaged. */
async function proven({ reading, tail, beside }: ExportSource, lines: () => string[]): Promise<string[]> {
  try {
    return lines()
  } catch (error) {
    if (!BoxError.is(error, 'LEDGER_CORRUPT')) throw error
    const position = Number(error.details.position)
    const { damage } = await reading(db => readPage(db, Math.max(1, position - 1), position, tail, beside))
    throw damage ?? error
  }
}

const pageSize = 1_024
