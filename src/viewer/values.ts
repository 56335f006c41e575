import { el, word } from './dom.ts'
import { momentWords } from './time.ts'

/** A JSON value of a record, to be read. */
export function valueView(value: unknown, name = ''): HTMLElement {
  if (value === undefined) return el('span', { class: 'nothing' }, 'nothing')
  if (value === null) return el('span', { class: 'nothing' }, 'null')
  if (typeof value === 'string') return textView(value)
  if (typeof value === 'number' && value > 1e12 && value < 1e14 && /(At|(^| )at|^timers › .*)$/.test(name))
    return el('time', { title: String(value) }, momentWords(value))
  if (typeof value !== 'object') return word(String(value), 'literal')
  const entries = Object.entries(value)
  if (entries.length === 0) return word(Array.isArray(value) ? '[ ]' : '{ }', 'nothing')
  if (Array.isArray(value) && value.every(item => typeof item !== 'object'))
    return el('span', { class: 'list' }, ...value.map(item => valueView(item)))
  return fieldsView(entries)
}

/** Names and what they stand for. */
export function fieldsView(entries: readonly (readonly [string, unknown])[]): HTMLElement {
  return el(
    'dl',
    { class: 'fields' },
    ...entries.flatMap(([name, value]) => [el('dt', {}, word(name)), el('dd', {}, valueView(value, name))]),
  )
}

/** Of a long text, such as the end of a log, the lines stay. */
function textView(text: string): HTMLElement {
  if (text === '') return el('span', { class: 'nothing' }, 'empty')
  if (text.includes('\n')) return el('pre', { tabindex: 0 }, word(text))
  return word(text, 'text')
}
