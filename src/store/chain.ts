import { BoxError } from '../machines/index.ts'
import type { Archive } from './archive/archive.ts'
import type { Beside } from './beside.ts'
import { decodeBody, decodeFrame, type Frame, noHash, sha256 } from './codec.ts'
import type { Database } from './database.ts'
import { bodies, bodyKey, frames, framesBetween, partsOfBodyKey, positionOfFrameKey } from './keys.ts'
import type { Parked } from './ledger.ts'
import { isGone } from './losses.ts'
import { entryPages, keyPages } from './scan.ts'
import type { Tail } from './tail-file.ts'

/** How far back the chain is proven when a ledger is opened; `verify` proves all of it. */
const lookBack = 256

export interface CheckedChain {
  readonly tail: Tail
  /** highest epoch among the last records; 0: none */
  readonly epoch: number
  /** boxes with a damaged record among the last ones */
  readonly parked: Map<string, Parked>
}

export function corrupt(message: string, details: Readonly<Record<string, unknown>>): BoxError {
  return new BoxError('LEDGER_CORRUPT', message, { details })
}

/**
 * Finds the end of the global chain and proves its last links, from the end on: each frame by the hash that its
 * successor has of it, the last by the tail file where that knows it.
 *
 * Throws `LEDGER_CORRUPT` if the ledger ends before the tail file does, or if records are gone; a damaged record only
 * parks its box.
 */
export async function checkChain(
  db: Database,
  known: Tail | undefined,
  { losses, archive, schema }: Beside,
): Promise<CheckedChain> {
  const [last] = await db.keys({ ...frames, reverse: true, limit: 1 }).all()
  const end = Math.max(last === undefined ? 0 : positionOfFrameKey(last), losses.end)
  if (known && known.position > end)
    throw corrupt(
      `The ledger ends at position ${end}, but had reached ${known.position}: its end was cut off or lost`,
      { position: end + 1, expected: known.position },
    )
  if (end === 0) return { tail: { position: 0, hash: noHash }, epoch: 0, parked: new Map() }

  const from = Math.max(1, Math.min(end - lookBack + 1, known?.position || end))
  const texts = new Map<number, string>()
  for await (const page of entryPages(db, framesBetween(from, end)))
    for (const [key, text] of page) texts.set(positionOfFrameKey(key), text)
  const bodyTexts = await bodiesOfLast(db, archive, [...texts.values()].slice(-lookBack))

  const parked = new Map<string, Parked>()
  const park = async (position: number, frame: Frame | undefined, reason: string) => {
    const box = (await boxAt(db, position)) ?? frame?.box
    if (box === undefined) throw corrupt(`The ledger has no record at position ${position}`, { position })
    parked.set(box, { position, reason })
  }

  let epoch = 0
  let tailHash: string | undefined
  let expected: string | undefined
  for (let position = end; position >= from; position -= 1) {
    const text = texts.get(position)
    const frame = decodeFrame(text)
    const lost = losses.at(position)
    const hash = losses.hashAt(position) ?? (text === undefined ? undefined : sha256(text))
    if (known?.position === position) expected = known.hash
    if (position === end) tailHash = expected ?? hash
    const proven = frame !== undefined && frame.position === position && (expected ?? hash) === hash
    if (!proven) {
      if (lost === undefined || !isGone(lost)) await park(position, frame, 'the frame is damaged')
    } else if (position > end - lookBack && lost?.what !== 'body') {
      const bodyText = bodyTexts.get(position)
      const body =
        bodyText !== undefined && sha256(bodyText) === frame.bodyHash
          ? decodeBody(bodyText, schema)
          : undefined
      if (body) epoch = Math.max(epoch, body.meta.epoch)
      else parked.set(frame.box, { position, reason: 'the body is damaged' })
    }
    expected = proven ? frame.prev : undefined
  }
  return { tail: { position: end, hash: tailHash ?? noHash }, epoch, parked }
}

/** The box whose body has a position in its key: the way to a box when the frame cannot be read. Slow, and rare. */
async function boxAt(db: Database, position: number): Promise<string | undefined> {
  for await (const page of keyPages(db, bodies)) {
    const found = page.map(partsOfBodyKey).find(parts => parts.position === position)
    if (found) return found.box
  }
  return undefined
}

/** Bodies by position, as far as frames lead to them. */
async function bodiesOfLast(
  db: Database,
  archive: Archive,
  texts: readonly string[],
): Promise<Map<number, string>> {
  const frames = texts.flatMap(text => decodeFrame(text) ?? [])
  const found = await archive.resolve(
    await db.getMany(frames.map(({ box, version, position }) => bodyKey(box, version, position))),
  )
  return new Map(frames.flatMap(({ position }, n) => (found[n] === undefined ? [] : [[position, found[n]]])))
}
