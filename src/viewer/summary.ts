import { el, word } from './dom.ts'
import { hashOf } from './marks.ts'
import { stageOf, stateOf } from './paths.ts'
import type { Incarnation, Story } from './story.ts'
import { momentWords, spanWords } from './time.ts'

/** Who the box is, where it stands, and how its VMMs ended. */
export function summaryView(story: Story): HTMLElement {
  const { name, id, spec, steps, incarnations, damage, unfolded, toldAt } = story
  const last = steps.findLast(({ execution }) => execution === undefined)
  const first = steps[0]
  const executions = new Set(steps.flatMap(({ execution }) => execution ?? [])).size
  const owners = new Set(steps.map(({ epoch }) => epoch)).size
  return el(
    'header',
    { class: 'summary' },
    el(
      'div',
      { class: 'who' },
      el('h1', {}, word(name ?? id)),
      last === undefined
        ? undefined
        : el(
            'span',
            { class: `badge large s-${stateOf(last.to)}` },
            word(stateOf(last.to)),
            stageOf(last.to) === '' ? undefined : el('small', {}, word(stageOf(last.to))),
          ),
      el('span', { class: 'soft id' }, word(id)),
      el('span', { class: 'soft' }, spec.join(' · ')),
    ),
    el(
      'p',
      { class: 'soft facts' },
      [
        count(steps.length, 'record'),
        ...(incarnations.length === 0 ? [] : [count(incarnations.length, 'incarnation')]),
        ...(executions === 0 ? [] : [count(executions, 'execution')]),
        ...(owners < 2 ? [] : [count(owners, 'owner')]),
        ...(first === undefined || last === undefined
          ? []
          : [`${momentWords(first.at)} UTC, over ${spanWords((steps.at(-1) ?? last).at - first.at)}`]),
        `told ${momentWords(toldAt)} UTC`,
      ].join(' · '),
    ),
    damage === undefined
      ? undefined
      : el('p', { class: 'alarm', role: 'alert' }, `The records end before their time: ${damage}`),
    unfolded === undefined
      ? undefined
      : el(
          'p',
          { class: 'alarm', role: 'alert' },
          `From position ${unfolded} on the machine of today comes to another result than the records: ` +
            'stages and differences are not known.',
        ),
    incarnations.length === 0 ? undefined : endingsView(story),
  )
}

function endingsView({ steps, incarnations }: Story): HTMLElement {
  const one = ({ number, first, ending }: Incarnation) => {
    const step = steps[ending?.step ?? first]
    return el(
      'li',
      {},
      el(
        'a',
        { href: step === undefined ? '#' : hashOf(step), class: step && `s-${stateOf(step.to)}` },
        el('span', { class: 'version' }, `VMM ${number}`),
        ending === undefined ? 'has not ended' : word(ending.cause),
        ending === undefined || ending.words === ''
          ? undefined
          : el('span', { class: 'soft' }, word(ending.words)),
      ),
    )
  }
  return el(
    'details',
    { class: 'endings', open: false },
    el('summary', {}, `How ${incarnations.length === 1 ? 'its VMM' : 'its VMMs'} ended`),
    el('ol', { class: 'chain' }, ...incarnations.map(one)),
  )
}

function count(n: number, of: string): string {
  return `${n} ${of}${n === 1 ? '' : 's'}`
}
