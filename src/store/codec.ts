import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  isBody,
  isStreamHead,
  type LedgerRecord,
  partsOf,
  type RecordMeta,
  type StreamHead,
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

export function decodeFrame(text: string | undefined): Frame | undefined {
  const frame = parse(text) as Partial<Frame> | undefined
  if (frame === undefined) return undefined
  const { position, prev, bodyHash, box, version } = frame
  const whole =
    [position, version].every(field => Number.isSafeInteger(field) && Number(field) > 0) &&
    [prev, bodyHash, box].every(field => typeof field === 'string')
  return whole ? (frame as Frame) : undefined
}

export function decodeBody(text: string | undefined): Body | undefined {
  const body = parse(text)
  return isBody(body) ? (body as Body) : undefined
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
