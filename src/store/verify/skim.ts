import { isAsWritten, type Schema } from '../../machines/index.ts'
import type { Body, Frame } from '../codec.ts'

/** What a check that folds nothing has to know of a body. */
export type Skimmed = Pick<Body, 'box' | 'prevBody' | 'to'> & {
  readonly meta: Pick<Body['meta'], 'epoch' | 'bootId' | 'engine' | 'commandId'>
}

const toPrev = ',"prevBody":"'
const afterPrev = '","at":"'
const eventAfter = afterPrev.length + 24
const toEvent = '","event":{"incarnation":'
const toType = ',"type":"'
const fromName = ',"from":"'
const longestVersion = 24
const toName = '","to":"'
const toMeta = '"meta":{'
const neverAnEnding = '\n'
const author = '"bootId":"'

/**
 * Reads bodies without a parser, which costs as much as all else together: bodies that are what their frames link to, in
 * the form that this release writes. For any other it gives undefined, and the parser has to tell. No quote within a text
 * stands alone in JSON, so that what is looked for is never found within one.
 */
export class Skimmer {
  readonly #schema: Schema
  /** whose body the last one was, and how such begin: mostly the next one does too */
  #box = ''
  #begin = ''
  /** how the last one ended that had nothing of its own to say of who wrote it, as text and as it was parsed: mostly as the next one */
  #ending = neverAnEnding
  #meta: Skimmed['meta'] = { epoch: 0, bootId: '', engine: '' }

  constructor(schema: Schema) {
    this.#schema = schema
  }

  skim(text: string, { box, version }: Pick<Frame, 'box' | 'version'>): Skimmed | undefined {
    if (box !== this.#box) this.#begin = `{"box":"${box}","version":`
    this.#box = box
    const begin = this.#begin
    const versionText = String(version)
    const versionTo = begin.length + versionText.length
    const prevFrom = versionTo + toPrev.length
    const prevTo = prevFrom + 64
    const eventFrom = prevTo + eventAfter + toEvent.length
    const typeAt = text.indexOf(',', eventFrom)
    const typeFrom = typeAt + toType.length
    const isOurs =
      text.startsWith(begin) &&
      text.startsWith(versionText, begin.length) &&
      text.startsWith(toPrev, versionTo) &&
      text.startsWith(afterPrev, prevTo) &&
      text.startsWith(toEvent, prevTo + eventAfter) &&
      text.startsWith(toType, typeAt)
    if (!isOurs) return undefined
    const type = text.slice(typeFrom, text.indexOf('"', typeFrom))
    const isPlain = text.endsWith(this.#ending)
    const metaFrom = isPlain
      ? text.length - this.#ending.length + toMeta.length
      : text.lastIndexOf(toMeta) + toMeta.length
    const toAt = text.lastIndexOf(toName, metaFrom)
    const eventTo = text.lastIndexOf(fromName, toAt)
    // The version of an event stands at its end.
    const hasVersion =
      isDigit(text.charCodeAt(eventTo - 2)) && text.slice(eventTo - longestVersion, eventTo).includes('"v":')
    if (!isAsWritten(type, this.#schema) || eventTo < typeFrom || hasVersion) return undefined
    const toFrom = toAt + toName.length
    const meta = isPlain ? this.#meta : this.#metaOf(text, metaFrom)
    if (meta === undefined) return undefined
    return {
      box,
      prevBody: text.slice(prevFrom, prevTo),
      to: text.slice(toFrom, text.indexOf('"', toFrom)),
      meta,
    }
  }

  #metaOf(text: string, from: number): Skimmed['meta'] | undefined {
    const meta = metaIn(text.slice(from - 1, -1))
    if (meta === undefined || !text.startsWith(author, from)) return meta
    this.#meta = meta
    this.#ending = text.slice(from - toMeta.length)
    return meta
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function metaIn(json: string): Skimmed['meta'] | undefined {
  try {
    const meta = JSON.parse(json) as Skimmed['meta']
    const { bootId, epoch, engine, commandId } = meta
    const isText = [bootId, engine, commandId ?? ''].every(value => typeof value === 'string')
    return isText && Number.isSafeInteger(epoch) ? meta : undefined
  } catch {
    // The parser tells what is wrong with it.
    return undefined
  }
}
