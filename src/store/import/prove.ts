import { decodeFrame, encodeFrame, type Frame, noHash, sha256 } from '../codec.ts'
import { decodeLine, type EndLine, type Header, type LostLine } from '../export/line.ts'
import { isGone, type Loss } from '../losses.ts'
import { badLine, type Lines, type NumberedLine, type Place } from './lines.ts'

/** A record with its body as it is stored, or something that is not there. */
export type Item =
  | {
      readonly frame: Frame
      readonly text: string
      /** undefined: it is lost */
      readonly body: NumberedLine | undefined
    }
  | { readonly lost: Loss }

interface Pending {
  readonly line: number
  readonly frame: Frame
  readonly hash: string
}

const beginsFrame = (text: string) => text.startsWith('{"position":')
const beginsBody = (text: string) => text.startsWith('{"box":')
const beginsLoss = (text: string) => text.startsWith('{"lost":')
const beginsEnd = (text: string) => text.startsWith('{"end":')

/**
 * Follows the chain of an export from its first record to its end, and gives what it has. A frame is given before the
 * line that proves it is read: all counts once this has ended. Throws `LEDGER_CORRUPT`, which names the line that is wrong.
 */
export class Proof {
  readonly #lines: Lines
  readonly #header: Header
  /** last position that was dealt with, lost or not */
  #last = 0
  /** the last frame, as yet without a proof */
  #pending: Pending | undefined
  /** what the next frame has to link to; undefined: nothing says */
  #expected: string | undefined = noHash
  #records = 0

  constructor(lines: Lines, header: Header) {
    this.#lines = lines
    this.#header = header
  }

  async *items(): AsyncGenerator<Item> {
    for (;;) {
      const before = this.#lines.count
      const next = await this.#next()
      const { text, line } = next
      if (beginsFrame(text)) yield* this.#record(next)
      else if (beginsLoss(text)) {
        const lost = this.#loss(next)
        if (isGone(lost) && lost.from !== this.#last + 1)
          throw this.#bad(line, `what is lost from position ${lost.from} on follows position ${this.#last}`)
        if (lost.what === 'body') throw this.#bad(line, 'it stands behind a body that is there')
        if (isGone(lost)) {
          this.#last = lost.to
          this.#expected = lost.hash
        }
        yield { lost }
      } else if (beginsEnd(text)) return await this.#end(next, before)
      else if (beginsBody(text)) throw this.#bad(line, `the frame of position ${this.#last + 1} is missing`)
      else throw await this.#unreadable(line)
    }
  }

  async *#record(next: NumberedLine): AsyncGenerator<Item> {
    const { line, text } = next
    const frame = decodeFrame(text)
    if (frame === undefined || encodeFrame(frame) !== text) throw await this.#unreadable(line)
    const { position, prev, box } = frame
    if (position !== this.#last + 1) throw this.#outOfOrder(line, frame)
    const hash = sha256(text)
    const here: Pending = { line, frame, hash }
    if (this.#expected !== undefined && prev !== this.#expected) throw await this.#broken(here)
    this.#pending = here
    this.#last = position
    this.#expected = hash

    const body = await this.#next()
    if (beginsLoss(body.text)) {
      const lost = this.#loss(body)
      if (lost.what !== 'body')
        throw this.#bad(body.line, `the body of position ${position} is missing`, { position, box })
      yield { frame, text, body: undefined }
      yield { lost }
      return
    }
    if (beginsFrame(body.text) || beginsEnd(body.text))
      throw this.#bad(body.line, `the body of position ${position} is missing`, { position, box })
    if (sha256(body.text) !== frame.bodyHash || !isBodyOf(body.text, frame)) {
      const isFrameRight = (await this.#confirms(hash)) ?? true
      throw isFrameRight
        ? badLine(body.line, 'it is not the body that its frame links to', { position, box })
        : badLine(line, 'the frame is not what its successor links to', {
            position,
            box: boxIn(body.text) ?? box,
          })
    }
    this.#records += 1
    yield { frame, text, body }
  }

  /** A line about a loss proves the frame before it. */
  #loss({ line, text }: NumberedLine): Loss {
    const { lost, after } = (decodeLine(text) ?? {}) as Partial<LostLine>
    if (!isLoss(lost)) throw this.#bad(line, 'it is damaged')
    const pending = this.#pending
    if ((pending?.hash ?? noHash) !== after) {
      if (pending === undefined) throw this.#bad(line, 'it stands in the wrong place')
      throw badLine(pending.line, 'the frame is not what stands in the line about a loss behind it', {
        position: pending.frame.position,
        box: pending.frame.box,
      })
    }
    if (!isGone(lost)) {
      if (lost.from > this.#last || lost.to < this.#last)
        throw this.#bad(line, 'it stands in the wrong place')
      if (lost.to === this.#last && lost.hash !== undefined) this.#expected = lost.hash
    }
    return lost
  }

  async #end({ line, text }: NumberedLine, before: number): Promise<void> {
    const end = (decodeLine(text) as { readonly end?: EndLine } | undefined)?.end
    if (end === undefined) throw badLine(line, 'the last line is damaged')
    const { position, hash } = this.#header
    if (this.#last !== position)
      throw badLine(line, `the export ends at position ${this.#last}, and is to go on to ${position}`, {
        position: this.#last + 1,
      })
    if (this.#expected !== undefined && this.#expected !== hash) {
      const { line: at = line, frame } = this.#pending ?? {}
      throw badLine(at, 'the last frame is not the one that the first line tells of', {
        position,
        box: frame?.box,
      })
    }
    if (end.lines !== before || end.records !== this.#records)
      throw badLine(line, `${before} lines are before it, and ${end.lines} are to be`)
    for (let more = await this.#lines.next(); more !== undefined; more = await this.#lines.next())
      if (more.text !== '') throw badLine(more.line, 'it stands behind the end of the export')
  }

  async #next(): Promise<NumberedLine> {
    const next = await this.#lines.next()
    if (next === undefined)
      throw this.#bad(this.#lines.count + 1, 'the export is cut off here, its last line is missing')
    return next
  }

  /** Of the frame before and this one: which is right is told by what follows. */
  async #broken({ line, frame, hash }: Pending) {
    const before = this.#pending
    const isRight = before !== undefined && (await this.#confirms(hash)) === true
    const at = isRight && before ? before : { line, frame }
    return badLine(at.line, 'the chain breaks: the frame is not what its successor links to', {
      position: at.frame.position,
      box: at.frame.box,
    })
  }

  /** Reads on to the line that proves a frame, if there is one; undefined: none. */
  async #confirms(hash: string): Promise<boolean | undefined> {
    for (let next = await this.#lines.next(); next !== undefined; next = await this.#lines.next()) {
      const { text } = next
      if (beginsFrame(text)) return decodeFrame(text)?.prev === hash
      if (beginsLoss(text)) return (decodeLine(text) as Partial<LostLine> | undefined)?.after === hash
      if (beginsEnd(text)) return this.#header.hash === hash
    }
    return undefined
  }

  /** A frame that cannot be read: of which box it is, its body says. */
  async #unreadable(line: number) {
    const body = await this.#lines.next()
    return this.#bad(line, 'it cannot be read', { box: boxIn(body?.text ?? '') })
  }

  #outOfOrder(line: number, { position, box }: Frame) {
    const last = this.#last
    const message =
      position <= last
        ? `position ${position} comes again, or too late, behind position ${last}`
        : `position ${position} follows position ${last}: lines between them are missing`
    return badLine(line, message, { position: last + 1, box })
  }

  /** At the next position, unless it is said of another. */
  #bad(line: number, message: string, place: Place = {}) {
    return badLine(line, message, { position: this.#last + 1, ...place })
  }
}

function isBodyOf(text: string, { box, version }: Frame): boolean {
  return text.startsWith(`{"box":"${box}","version":${version},`)
}

function boxIn(body: string): string | undefined {
  return /^\{"box":"([\w.-]+)"/.exec(body)?.[1]
}

const kinds: readonly unknown[] = ['record', 'body', 'frame', 'elsewhere'] satisfies Loss['what'][]

function isLoss(value: Loss | undefined): value is Loss {
  const isPlace = (n: unknown) => Number.isSafeInteger(n) && Number(n) > 0
  return (
    isPlace(value?.from) &&
    isPlace(value?.to) &&
    kinds.includes(value?.what) &&
    (value?.to ?? 0) >= (value?.from ?? 1)
  )
}
