import { Causes } from './causes.ts'
import { differencesView } from './differences.ts'
import { el, word } from './dom.ts'
import { hashOf, markOf, sinceWords, versionWords } from './marks.ts'
import { stageOf, stateOf } from './paths.ts'
import { stateAt } from './state-at.ts'
import type { Step, Story } from './story.ts'
import { momentWords, spanWords } from './time.ts'
import { fieldsView } from './values.ts'

/** All that is known of one step. */
export class Details {
  readonly element = el('section', { class: 'details', 'aria-label': 'The step', tabindex: 0 })
  readonly #story: Story
  readonly #causes: Causes
  /** the whole state is shown too, until it is closed again */
  #isWhole = false

  constructor(story: Story) {
    this.#story = story
    this.#causes = new Causes(story.steps)
  }

  show(index: number): void {
    const step = this.#story.steps[index]
    this.element.scrollTop = 0
    if (step === undefined) this.element.replaceChildren(el('p', { class: 'note' }, 'There are no records.'))
    else this.element.replaceChildren(...this.#parts(step, this.#story.steps[index - 1], index))
  }

  #parts(step: Step, before: Step | undefined, index: number): HTMLElement[] {
    const { type: _, ...fields } = step.event
    const mark = markOf(step, before)
    const since = sinceWords(step, before)
    return [
      el(
        'header',
        {},
        el('p', { class: 'over' }, `${versionWords(step)} · position ${step.position}`),
        el('h2', {}, word(step.event.type)),
        step.words === '' ? undefined : el('p', { class: 'lead' }, word(step.words)),
        el(
          'p',
          { class: 'over' },
          el('time', {}, momentWords(step.at)),
          since === '' ? undefined : el('span', { class: 'soft' }, `  ${since}`),
          mark === undefined ? undefined : el('span', { class: `mark ${mark.kind}` }, mark.words),
        ),
        moveOf(step),
      ),
      ...part('Event', Object.entries(fields), entries => fieldsView(entries)),
      ...part('Effects asked for', step.effects, effects =>
        el(
          'ul',
          { class: 'chips' },
          ...effects.map(({ type, id }) => el('li', {}, word(type), el('small', {}, word(id)))),
        ),
      ),
      ...timersOf(step),
      ...part(
        step.execution === undefined ? 'Differences' : 'Differences of the execution',
        step.differences,
        differencesView,
      ),
      ...this.#whole(step, index),
      ...this.#chain('Caused by', this.#causes.before(step), step.cause),
      ...this.#chain('Led to', this.#causes.after(step)),
      el('section', {}, el('h3', {}, 'Record'), this.#record(step)),
    ]
  }

  /** The state after the step, worked out when somebody wants to see it. */
  #whole({ position }: Step, index: number): HTMLElement[] {
    const { steps, unfolded } = this.#story
    if (unfolded !== undefined && position >= unfolded) return []
    const place = el('div', {})
    const fill = () => {
      const state = this.#isWhole ? stateAt(steps, index) : {}
      place.replaceChildren(fieldsView(Object.entries(state as object)))
    }
    const whole = el('details', { open: this.#isWhole }, el('summary', {}, 'The state after it'), place)
    whole.addEventListener('toggle', () => {
      if (whole.open === this.#isWhole) return
      this.#isWhole = whole.open
      fill()
    })
    fill()
    return [whole]
  }

  #chain(title: string, steps: readonly Step[], first?: number): HTMLElement[] {
    const links = steps.map(step =>
      el(
        'li',
        {},
        el(
          'a',
          { href: hashOf(step), class: `s-${stateOf(step.to)}` },
          el('span', { class: 'version' }, versionWords(step)),
          word(step.event.type),
          el('span', { class: 'soft' }, word(step.words)),
        ),
      ),
    )
    const root = first === undefined ? undefined : (steps.at(-1) ?? { cause: first }).cause
    if (root !== undefined && this.#causes.at(root) === undefined)
      links.push(el('li', { class: 'soft' }, `position ${root}, not of this box`))
    return part(title, links, items => el('ol', { class: 'chain' }, ...items))
  }

  #record(step: Step): HTMLElement {
    const { boots, engines } = this.#story
    return fieldsView([
      ...(step.actor === undefined ? [] : [['actor', step.actor] as const]),
      ...(step.commandId === undefined ? [] : [['command ID', step.commandId] as const]),
      ['owner', `number ${step.epoch}, ${engines[step.engine] ?? 'unknown'}`],
      ['boot', boots[step.boot] ?? 'unknown'],
      ['hash', step.hash],
    ])
  }
}

function moveOf({ from, to }: Step): HTMLElement {
  const one = (path: string) =>
    el(
      'span',
      { class: `badge s-${stateOf(path)}` },
      word(stateOf(path)),
      stageOf(path) === '' ? undefined : el('small', {}, word(stageOf(path))),
    )
  if (from === '') return el('p', { class: 'move-words' }, one(to))
  if (from === to) return el('p', { class: 'move-words' }, one(to), el('span', { class: 'soft' }, ' stays'))
  return el('p', { class: 'move-words' }, one(from), el('span', { class: 'to-arrow' }, ' → '), one(to))
}

function timersOf({ timers, at }: Step): HTMLElement[] {
  const set = timers.set.map(({ id, dueAt }) =>
    el('li', {}, word(id), el('small', {}, `in ${spanWords(dueAt - at)}`)),
  )
  const gone = timers.cancelled.map(id => el('li', { class: 'gone' }, word(id)))
  return [
    ...part('Timers set', set, items => el('ul', { class: 'chips' }, ...items)),
    ...part('Timers cancelled', gone, items => el('ul', { class: 'chips' }, ...items)),
  ]
}

/** A part with a heading; nothing where there is nothing to tell. */
function part<T>(
  title: string,
  items: readonly T[],
  view: (items: readonly T[]) => HTMLElement,
): HTMLElement[] {
  return items.length === 0 ? [] : [el('section', {}, el('h3', {}, title), view(items))]
}
