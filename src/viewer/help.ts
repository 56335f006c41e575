import { el } from './dom.ts'

const keys: readonly (readonly [string, string])[] = [
  ['← or k', 'the step before'],
  ['→ or j', 'the next step'],
  ['[ and ]', 'to where the state was another one, and where it becomes one'],
  ['Home, End', 'the first step, the last one'],
  ['/', 'find steps by their words; Escape lists all again'],
  ['?', 'these keys'],
]

/** The keys, shown when they are asked for. */
export function helpView(): HTMLDialogElement {
  return el(
    'dialog',
    { class: 'help', 'aria-labelledby': 'help-title' },
    el('h2', { id: 'help-title' }, 'Keys'),
    el('dl', {}, ...keys.flatMap(([key, what]) => [el('dt', {}, key), el('dd', {}, what)])),
    el('form', { method: 'dialog' }, el('button', {}, 'Close')),
  )
}
