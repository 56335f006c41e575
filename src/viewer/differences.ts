import { el, word } from './dom.ts'
import type { Difference } from './story.ts'
import { valueView } from './values.ts'

/** What is another than before, a row each. */
export function differencesView(differences: readonly Difference[]): HTMLElement {
  const rows = differences.flatMap(spread).map(({ path, before, after }) => {
    const where = path.length === 0 ? 'all of it' : path.join(' › ')
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, word(where)),
      el('td', { class: 'before' }, valueView(before, where)),
      el('td', { class: 'after' }, valueView(after, where)),
    )
  })
  const head = ['of', 'before', 'after'].map(title => el('th', { scope: 'col' }, title))
  return el(
    'div',
    { class: 'scrolls' },
    el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows)),
  )
}

/** What comes, or goes, as a whole is told field by field. */
function spread({ path, before, after }: Difference): Difference[] {
  const [come, gone] = [fieldsOf(after), fieldsOf(before)]
  if (come !== undefined && isNothing(before))
    return come.flatMap(([name, value]) => spread({ path: [...path, name], after: value }))
  if (gone !== undefined && isNothing(after))
    return gone.flatMap(([name, value]) => spread({ path: [...path, name], before: value }))
  return [{ path, before, after }]
}

const isNothing = (value: unknown) => value === undefined || value === null

function fieldsOf(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const fields = Object.entries(value)
  return fields.length === 0 ? undefined : fields
}
