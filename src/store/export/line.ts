import { crc32 } from 'node:zlib'
import { BoxError } from '../../machines/index.ts'
import { noHash } from '../codec.ts'
import type { Parked } from '../ledger.ts'
import type { Loss } from '../losses.ts'

/**
 * An export, a line each. Frames and bodies are the bytes as they are stored; all other lines end with a checksum of what
 * is before it in the line.
 *
 *   {"boxledger":"export","format":1,"box":…,"position":…,"hash":…,"beside":N,"crc32":…}    first; of the last frame
 *   {"parked":…} {"command":…}                                                     N lines: what stands beside the chain
 *   {"position":…,"prev":…,"bodyHash":…,"box":…,"version":…}                       a frame, by position
 *   {"box":…,"version":…,"prevBody":…,"at":…,"event":…,…}                          its body
 *   {"lost":{from, to, what, hash?},"after":…,"crc32":…}                           where something is not there
 *   {"end":{"lines":…,"records":…},"crc32":…}                                      last; how many lines are before it
 *
 * Each frame is proven by the next one's `prev`, by the `after` of a line about a loss, or by the `hash` of the first line.
 */
export interface Header {
  readonly boxledger: 'export'
  readonly format: number
  /** the one box that it is of, by ID; null: all */
  readonly box: string | null
  /** last position; 0: no record */
  readonly position: number
  /** hash of the last frame, as a next one would link to it */
  readonly hash: string
  /** how many lines about what stands beside the chain follow */
  readonly beside: number
}

/** A stream that a repair has parked, with what cannot be had by folding. */
export interface ParkedLine extends Parked {
  readonly box: string
  /** that it keeps others from having */
  readonly name?: string
  /** its head as it is stored, sealed */
  readonly head?: string
}

/** A command whose record is lost. */
export interface CommandLine {
  readonly id: string
  readonly box: string
  readonly position: number
}

export interface LostLine {
  readonly lost: Loss
  /** hash of the frame before, as it is in this export; zeros: there is none */
  readonly after: string
}

export interface EndLine {
  readonly lines: number
  readonly records: number
}

/** Version of this format. */
export const exportFormat = 1

export function headerLine(header: Omit<Header, 'boxledger' | 'format'>): string {
  return encodeLine({ boxledger: 'export', format: exportFormat, ...header })
}

export function lostLine(lost: Loss, after: string | undefined): string {
  const { from, to, what, hash } = lost
  return encodeLine({
    lost: { from, to, what, ...(hash === undefined ? {} : { hash }) },
    after: after ?? noHash,
  })
}

/** A line with its checksum. */
export function encodeLine(fields: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(fields).slice(0, -1)
  return `${text},"crc32":"${checksumOf(text)}"}`
}

/** What a line with a checksum says; undefined if it is not as it was written. */
export function decodeLine(line: string): Readonly<Record<string, unknown>> | undefined {
  const [, text, checksum] = /^(\{.*),"crc32":"([0-9a-f]{8})"\}$/s.exec(line) ?? []
  if (text === undefined || checksumOf(text) !== checksum) return undefined
  return objectIn(`${text}}`)
}

/** The first line; undefined if it is none. Throws `FORMAT_UNSUPPORTED` for a newer format, whatever its checksums are. */
export function decodeHeader(line: string): Header | undefined {
  const format = objectIn(line)?.format
  const isExport = line.startsWith('{"boxledger":"export",')
  if (isExport && typeof format === 'number' && format > exportFormat)
    throw new BoxError(
      'FORMAT_UNSUPPORTED',
      `The export has format ${format}, this version of boxledger reads up to ${exportFormat}. Use a newer version`,
      { details: { format, supported: exportFormat, line: 1 } },
    )
  const header = decodeLine(line) as Header | undefined
  return isExport && header?.format === exportFormat ? header : undefined
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Text that is no JSON is damage, which the caller reports with its place.
    return undefined
  }
}
