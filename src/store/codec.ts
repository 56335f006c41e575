import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  BoxError,
  isBody,
  isStreamHead,
  isUnsupported,
  type LedgerRecord,
  partsOf,
  type RecordMeta,
  type Schema,
  type StreamHead,
  type Told,
  type Unsupported,
  upcast,
} from '../machines/index.ts'

/** One link of the global chain, as stored. */
export interface Frame {
  readonly position: number
  /** hash of the frame before */
  readonly prev: string
  readonly bodyHash: string
  /** the stream */
  readonly box: string
  readonly version: number
}

/** One link of a stream's chain, as stored. */
export type Body = Pick<
  LedgerRecord,
  'box' | 'version' | 'prevBody' | 'at' | 'event' | 'from' | 'to' | 'effects' | 'timers' | 'meta'
>

/** What the first link of a chain has as its predecessor's hash. */
export const noHash = '0'.repeat(64)

/** SHA-256 of a text's UTF-8 bytes, which are its bytes as stored, in hex. */
export function sha256(text: string): string {
  return hash('sha256', text)
}

/** Puts a checksum before a text: LevelDB itself checks none when it reads. */
export function seal(text: string): string {
  return crc32(text).toString(16).padStart(8, '0') + text
}

/** The text, or undefined if it is not what was sealed. */
export function unseal(sealed: string): string | undefined {
  const text = sealed.slice(8)
  return crc32(text).toString(16).padStart(8, '0') === sealed.slice(0, 8) ? text : undefined
}

/** Written out by hand, being on the hot path; box IDs need no escapes. */
export function encodeFrame({ position, prev, bodyHash, box, version }: Frame): string {
  return `{"position":${position},"prev":"${prev}","bodyHash":"${bodyHash}","box":"${box}","version":${version}}`
}

/** By hand too: a third cheaper than `JSON.stringify` of the whole. `author` is the text of what all records share. */
export function encodeBody(body: Omit<Body, 'meta'>, meta: Partial<RecordMeta>, author: string): string {
  const { box, version, prevBody, at, event, from, to, effects, timers } = body
  const own = JSON.stringify(meta).slice(0, -1)
  return (
    `{"box":"${box}","version":${version},"prevBody":"${prevBody}","at":"${at}","event":${JSON.stringify(event)}` +
    `,"from":${JSON.stringify(from)},"to":${JSON.stringify(to)},"effects":${JSON.stringify(effects)}` +
    `,"timers":${JSON.stringify(timers)},"meta":${own}${own.length > 1 ? ',' : ''}${author.slice(1)}}`
  )
}

/** What we have written ourselves needs no parser, which costs six times as much. */
export function decodeFrame(text: string | undefined): Frame | undefined {
  if (text === undefined) return undefined
  const frame = skimFrame(text)
  if (frame !== undefined) return frame
  const parsed = parse(text) as Partial<Frame> | undefined
  return parsed && asFrame(parsed)
}

const frameParts = ['{"position":', ',"prev":"', '","bodyHash":"', '","box":"', '","version":'] as const

/** Undefined for anything that `encodeFrame` would write differently. */
export function skimFrame(text: string): Frame | undefined {
  const [begin, toPrev, toHash, toBox, toVersion] = frameParts
  const prevAt = text.indexOf(',', begin.length)
  const prevFrom = prevAt + toPrev.length
  const hashFrom = prevFrom + 64 + toHash.length
  const boxFrom = hashFrom + 64 + toBox.length
  const boxTo = text.indexOf('"', boxFrom)
  const isOurs =
    text.startsWith(begin) &&
    text.startsWith(toPrev, prevAt) &&
    text.startsWith(toHash, prevFrom + 64) &&
    text.startsWith(toBox, hashFrom + 64) &&
    text.startsWith(toVersion, boxTo) &&
    text.endsWith('}')
  if (!isOurs) return undefined
  const positionText = text.slice(begin.length, prevAt)
  const versionText = text.slice(boxTo + toVersion.length, -1)
  const position = Number(positionText)
  const version = Number(versionText)
  if (!isPlace(position) || !isPlace(version)) return undefined
  if (String(position) !== positionText || String(version) !== versionText) return undefined
  const prev = text.slice(prevFrom, prevFrom + 64)
  const bodyHash = text.slice(hashFrom, hashFrom + 64)
  return { position, prev, bodyHash, box: text.slice(boxFrom, boxTo), version }
}

function asFrame(frame: Partial<Frame>): Frame | undefined {
  const { position, prev, bodyHash, box, version } = frame
  const isWhole =
    isPlace(position) &&
    isPlace(version) &&
    typeof prev === 'string' &&
    typeof bodyHash === 'string' &&
    typeof box === 'string'
  return isWhole ? { position, prev, bodyHash, box, version } : undefined
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

/** A body whose text nothing has proven, in the shape that it was written in. */
export function decodeStored(text: string | undefined): Body | undefined {
  const stored = parse(text)
  return isBody(stored) ? (stored as Body) : undefined
}

/**
 * A body that is what its frame links to, in today's shape. Throws `FORMAT_UNSUPPORTED` for what a newer version has
 * written.
 */
export function decodeBody(text: string | undefined, current: Schema): Body | undefined {
  const stored = decodeStored(text)
  if (stored === undefined) return undefined
  const body = upcast(stored as unknown as Told, current)
  if (isUnsupported(body)) throw unsupportedEvent(body, stored)
  return body as unknown as Body
}

function unsupportedEvent({ type, version, supported }: Unsupported, { box, meta }: Body): BoxError {
  const known = supported === 0 ? 'does not know that type' : `knows it up to version ${supported}`
  return new BoxError(
    'FORMAT_UNSUPPORTED',
    `A record of ${box} by ${meta.engine} has the event ${type} of version ${version}; this version of boxledger ${known}. Use a newer version`,
    { details: { ...partsOf(box), type, version, supported, engine: meta.engine } },
  )
}

export function decodeHead(sealed: string | undefined): StreamHead | undefined {
  const head = decodeSealed(sealed)
  return isStreamHead(head) ? head : undefined
}

export function decodeSealed(sealed: string | undefined): unknown {
  return sealed === undefined ? undefined : parse(unseal(sealed))
}

/** A record as readers get it, from its two halves. */
export function recordOf(frame: Frame, body: Body, frameHash: string): LedgerRecord {
  const { box, version, prevBody, at, event, from, to, effects, timers, meta } = body
  const { position, prev } = frame
  return {
    position,
    ...partsOf(box),
    version,
    at,
    event,
    from,
    to,
    effects,
    timers,
    meta,
    prev,
    prevBody,
    hash: frameHash,
  } as LedgerRecord
}

/** A number that was sealed. */
export function decodeCount(sealed: string | undefined): number | undefined {
  const text = sealed === undefined ? undefined : unseal(sealed)
  return text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : undefined
}

function parse(text: string | undefined): object | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    // Text that is no JSON is damage, which the caller reports with its place.
    return undefined
  }
}
