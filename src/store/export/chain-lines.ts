import { corrupt } from '../chain.ts'
import { type Frame, noHash, sha256 } from '../codec.ts'
import { isGone, type Loss, type Losses } from '../losses.ts'
import type { Text } from '../texts.ts'
import { encodeLine, lostLine } from './line.ts'

/** What an export says of the chain, record by record, each proven before it is said. */
export class ChainLines {
  /** of the export so far, the first line among them */
  lines: number
  records = 0
  readonly #losses: Losses
  /** last position that was dealt with, lost or not */
  #last = 0
  /** of the last frame as it is stored; undefined: there was none */
  #hash: string | undefined
  /** what the next frame has to link to; undefined: nothing says */
  #expected: string | undefined = noHash

  constructor(losses: Losses, lines: number) {
    this.#losses = losses
    this.lines = lines
  }

  /** Records of the whole chain, whose positions are dense but for what is declared. */
  page(records: readonly Text[]): string[] {
    const lines: string[] = []
    for (const record of records) {
      if (record.position !== this.#last + 1) this.#passOver(record.position - 1, lines)
      this.#take(record, lines)
    }
    return lines
  }

  /** Records of one box: what is between them is elsewhere. */
  pageOf(records: readonly Text[]): string[] {
    const lines: string[] = []
    for (const record of records) {
      const { position, frame } = record
      const from = this.#last + 1
      if (position > from && frame !== undefined)
        this.#lost({ from, to: position - 1, what: 'elsewhere', hash: frame.prev }, lines)
      this.#take(record, lines)
    }
    return lines
  }

  /** The end of the chain. */
  end(position: number, hash: string): string[] {
    const lines: string[] = []
    this.#passOver(position, lines)
    if (this.#expected !== undefined && this.#expected !== hash)
      throw damaged('The frame', position, undefined)
    lines.push(this.#endLine())
    return lines
  }

  #take({ position, text, frame, body }: Text, lines: string[]): void {
    if (frame?.position !== position) throw damaged('The frame', position, undefined)
    if (this.#expected !== undefined && frame.prev !== this.#expected)
      throw damaged('The link between the frames', position, undefined)
    const loss = this.#losses.at(position)
    this.#last = position
    this.#hash = sha256(text)
    this.#expected = this.#losses.hashAt(position) ?? this.#hash
    lines.push(text)
    this.lines += 1
    if (loss?.what === 'body') {
      this.#lost(loss, lines)
      return
    }
    assertBody(frame, body)
    lines.push(body)
    this.lines += 1
    this.records += 1
    if (loss?.what === 'frame') this.#lost(loss, lines)
  }

  #passOver(to: number, lines: string[]): void {
    while (this.#last < to) {
      const loss = this.#losses.at(this.#last + 1)
      if (loss === undefined || !isGone(loss))
        throw corrupt(`The ledger has no frame at position ${this.#last + 1}`, { position: this.#last + 1 })
      this.#lost(loss, lines)
    }
  }

  #lost(loss: Loss, lines: string[]): void {
    lines.push(lostLine(loss, this.#hash))
    this.lines += 1
    if (!isGone(loss)) return
    this.#last = loss.to
    this.#expected = loss.hash
  }

  #endLine(): string {
    return encodeLine({ end: { lines: this.lines, records: this.records } })
  }
}

function assertBody(frame: Frame, body: string | undefined): asserts body is string {
  const { position, box, version, bodyHash } = frame
  const isRight =
    body !== undefined &&
    sha256(body) === bodyHash &&
    body.startsWith(`{"box":"${box}","version":${version},`)
  if (!isRight) throw damaged('The body', position, box)
}

function damaged(what: string, position: number, box: string | undefined) {
  return corrupt(`${what} is damaged at position ${position}: repair the home before it is exported`, {
    position,
    ...(box === undefined ? {} : { box }),
  })
}
