import type { StreamHead } from '../../machines/index.ts'
import type { Archive } from '../archive/archive.ts'
import {
  type Body,
  decodeFrame,
  decodeHead,
  decodeStored,
  encodeFrame,
  type Frame,
  sha256,
} from '../codec.ts'
import type { Database } from '../database.ts'
import { partsOfBodyKey } from '../keys.ts'
import type { Carved, Salvaged } from '../salvage/entry.ts'

/**
 * Everything that was found in a damaged home, in a database of its own, so that no memory has to hold it. Numbers are
 * 14 hex digits.
 *
 *   f/POSITION/HASH           + or -, frame      frames that are whole; +: LevelDB's checksum was right
 *   B/HASH                    body               bodies
 *   P/POSITION/HASH           + or -, BOX/V      where a body was, by its key
 *   Q/POSITION/BOX/V          + or -             where a body was that is not there any more, by its key
 *   V/BOX/V/HASH              limit              what a body's hash was, by its successor, or by its head, which link to
 *                                                it; limit: a position before which it was, or =POSITION, or nothing
 *   S/KEY\0SEQUENCE           +text, -text or d  values of all other keys; d: deleted
 */
export class Stash {
  readonly #db: Database
  readonly #archive: Archive
  #batch: { type: 'put'; key: string; value: string }[] = []

  constructor(db: Database, archive: Archive) {
    this.#db = db
    this.#archive = archive
  }

  async take(found: Salvaged | Carved): Promise<void> {
    if ('text' in found) this.#takeText(found.text)
    else await this.#takeEntry(found)
    if (this.#batch.length >= batchSize) await this.flush()
  }

  async flush(): Promise<void> {
    await this.#db.batch(this.#batch)
    this.#batch = []
  }

  /** A body of which nothing else is known. */
  takeBody(text: string): Body | undefined {
    const body = decodeStored(text)
    if (body === undefined || typeof body.box !== 'string') return undefined
    this.#put(`B/${sha256(text)}`, text)
    return body
  }

  #takeText(text: string): void {
    const frame = wholeFrame(text)
    if (frame) this.#takeFrame(frame, text, false)
    else this.#link(this.takeBody(text), undefined)
  }

  async #takeEntry({ key, value, sequence, sound }: Salvaged): Promise<void> {
    if (key.startsWith('f/')) {
      const frame = value === undefined ? undefined : wholeFrame(value)
      if (frame && value !== undefined) this.#takeFrame(frame, value, sound)
      return
    }
    if (key.startsWith('b/')) {
      const [text] = await this.#archive.resolve([value])
      if (value !== undefined) this.#takePlaced(key, text ?? '', sound)
      return
    }
    if (key.startsWith('h/') || key.startsWith('r/')) this.#linkHead(decodeHead(value))
    this.#put(stateKey(key, sequence), value === undefined ? 'd' : (sound ? '+' : '-') + value)
  }

  #takeFrame(frame: Frame, text: string, sound: boolean): void {
    this.#put(`f/${fixed(frame.position)}/${sha256(text)}`, (sound ? '+' : '-') + text)
  }

  #takePlaced(key: string, text: string, sound: boolean): void {
    const { box, version, position } = partsOfBodyKey(key)
    const body = this.takeBody(text)
    const flag = sound ? '+' : '-'
    if (body?.box === box && body.version === version) {
      this.#put(`P/${fixed(position)}/${sha256(text)}`, `${flag}${box}/${version}`)
      this.#link(body, position)
    } else {
      this.#put(`Q/${fixed(position)}/${box}/${version}`, flag)
      this.#link(body, undefined)
    }
  }

  #link(body: Body | undefined, position: number | undefined): void {
    if (body && body.version > 1 && isHash(body.prevBody))
      this.#put(`${linkPrefix(body.box, body.version - 1)}${body.prevBody}`, position ? String(position) : '')
  }

  #linkHead(head: StreamHead | undefined): void {
    if (head && isHash(head.bodyHash))
      this.#put(`${linkPrefix(head.box, head.version)}${head.bodyHash}`, `=${head.position}`)
  }

  #put(key: string, value: string): void {
    this.#batch.push({ type: 'put', key, value })
  }
}

const batchSize = 4_096
const isHash = (text: unknown): boolean => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)

export const fixed = (n: number): string => n.toString(16).padStart(14, '0')

export function linkPrefix(box: string, version: number): string {
  return `V/${box}/${fixed(version)}/`
}

export function stateKey(key: string, sequence: number): string {
  return `S/${key}\0${fixed(sequence)}`
}

/** A frame that is as we would write it, whatever it says. */
function wholeFrame(text: string): Frame | undefined {
  const frame = decodeFrame(text)
  return frame && frame.position > 0 && encodeFrame(frame) === text ? frame : undefined
}
