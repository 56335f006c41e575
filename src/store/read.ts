import { BoxError, type LedgerRecord, partsOf, streamOf } from '../machines/index.ts'
import { fileOfBody } from './archive/archive.ts'
import type { Beside } from './beside.ts'
import { corrupt } from './chain.ts'
import {
  type Body,
  decodeBody,
  decodeFrame,
  decodeStored,
  encodeFrame,
  type Frame,
  noHash,
  recordOf,
  sha256,
} from './codec.ts'
import type { Database } from './database.ts'
import { bodiesOf, bodyKey, frameKey, framesBetween, partsOfBodyKey, positionOfFrameKey } from './keys.ts'
import type { Losses } from './losses.ts'
import type { Tail } from './tail-file.ts'

export interface Page {
  readonly records: readonly LedgerRecord[]
  /** first position after the page; what a repair has declared lost is passed over */
  readonly next: number
  /** what stands after the records, if they end before their time */
  readonly damage?: ReturnType<typeof corrupt>
}

type Proven = Omit<Page, 'next'>

/** records in a page */
export const pageSize = 256
const pageBytes = 1 << 20

/**
 * Reads a page of the global chain, `from` to `to` at most. No record is handed out unproven: a frame is proven by the
 * next one (the last by the tail), a body by its frame.
 */
export async function readPage(
  db: Database,
  from: number,
  to: number,
  tail: Tail,
  beside: Beside,
): Promise<Page> {
  const last = Math.min(to, from + pageSize - 1, tail.position)
  const found = await db
    .iterator({ ...framesBetween(from, Math.min(last + 1, tail.position)), highWaterMarkBytes: pageBytes })
    .all()
  const texts = new Map(found.map(([key, text]) => [positionOfFrameKey(key), text]))
  const positions = range(from, last).filter(position => !beside.losses.hasNoRecord(position))
  return { ...(await prove(db, positions, texts, tail, beside)), next: last + 1 }
}

/** Reads what is at these positions, in their order. */
export async function readPlaces(
  db: Database,
  positions: readonly number[],
  tail: Tail,
  beside: Beside,
): Promise<Proven> {
  const wanted = [...new Set(positions.flatMap(at => (at < tail.position ? [at, at + 1] : [at])))]
  const values = await db.getMany(wanted.map(frameKey))
  const texts = new Map<number, string>()
  for (const [n, position] of wanted.entries()) {
    const text = values[n]
    if (text !== undefined) texts.set(position, text)
  }
  return prove(db, positions, texts, tail, beside)
}

/** Reads a page of one stream's chain, from a version on. */
export async function readStreamPage(
  db: Database,
  stream: string,
  fromVersion: number,
  tail: Tail,
  beside: Beside,
  limit = pageSize,
): Promise<Proven> {
  const keys = await db.keys({ ...bodiesOf(stream, fromVersion), limit }).all()
  const positions = keys.map(key => partsOfBodyKey(key).position).filter(at => at <= tail.position)
  const page = await readPlaces(db, positions, tail, beside)
  let version = fromVersion
  for (const [n, record] of page.records.entries()) {
    if (streamOf(record) !== stream || record.version !== version)
      return {
        records: page.records.slice(0, n),
        damage: corrupt(`Version ${version} of ${stream} is missing`, { ...partsOf(stream), version }),
      }
    version += 1
  }
  return page
}

/** Makes records of frames, as long as each is proven. */
async function prove(
  db: Database,
  positions: readonly number[],
  texts: ReadonlyMap<number, string>,
  tail: Tail,
  { losses, archive, schema }: Beside,
): Promise<Proven> {
  const frames = positions.map(position => decodeFrame(texts.get(position)))
  const bodyKeys = frames.map((frame, n) =>
    frame ? bodyKey(frame.box, frame.version, positions[n] ?? 0) : frameKey(0),
  )
  const stored: (string | undefined)[] = await db.getMany(bodyKeys)
  const bodies = await archive.resolve(stored)
  const records: LedgerRecord[] = []
  for (const [n, position] of positions.entries()) {
    const text = texts.get(position)
    const frame = frames[n]
    const bodyText = bodies[n]
    const file = fileOfBody(stored[n])
    const damaged = (what: string, box: string | undefined): Proven => ({
      records,
      damage: corrupt(`${what} at position ${position}`, {
        position,
        ...(box ? partsOf(box) : {}),
        ...(box && file ? { file } : {}),
      }),
    })
    if (text === undefined) return damaged('The ledger has no frame', undefined)
    const declared = losses.hashAt(position)
    const hash = declared ?? sha256(text)
    const expected = position === tail.position ? tail.hash : decodeFrame(texts.get(position + 1))?.prev
    const intact = bodyText !== undefined && frame !== undefined && sha256(bodyText) === frame.bodyHash
    if (frame?.position !== position) return damaged('The frame is damaged', undefined)
    const linked = hash === expected && declared === undefined
    if (!linked && !(intact && (await provenBackwards(db, losses, frame, text, bodyText))))
      return damaged('The frame is damaged', undefined)
    let body: Body | undefined
    try {
      body = intact ? decodeBody(bodyText, schema) : undefined
    } catch (error) {
      if (!BoxError.is(error)) throw error
      return { records, damage: error }
    }
    if (body === undefined) return damaged('The body is damaged', frame.box)
    if (body.box !== frame.box || body.version !== frame.version)
      return damaged('The body belongs to another record', frame.box)
    records.push(recordOf(frame, body, hash))
  }
  return { records }
}

/**
 * Whether a frame whose successor does not link to it is good all the same, each of its fields being known from
 * elsewhere: then it is the successor that is damaged.
 */
export async function provenBackwards(
  db: Database,
  losses: Losses,
  frame: Frame,
  text: string,
  bodyText: string,
): Promise<boolean> {
  const { position, prev, box, version } = frame
  const before = position === 1 ? undefined : await db.get(frameKey(position - 1))
  const hashBefore = position === 1 ? noHash : before === undefined ? undefined : sha256(before)
  const expected = losses.hashAt(position - 1) ?? hashBefore
  const body = decodeStored(bodyText)
  return prev === expected && body?.box === box && body.version === version && encodeFrame(frame) === text
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n)
}
