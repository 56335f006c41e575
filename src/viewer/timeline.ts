import { el, spoken, word } from './dom.ts'
import { markOf, sinceWords, versionWords } from './marks.ts'
import { stageOf, stateOf } from './paths.ts'
import type { Step } from './story.ts'
import { clockWords } from './time.ts'

/** Height of a row, in `px`, as the style sheet has it */
const rowHeight = 48
/** Rows kept ready beyond what is seen */
const margin = 12

/** The steps as rows. Only those in sight are there, so that a long story is as quick as a short one. */
export class Timeline {
  readonly element: HTMLElement
  readonly #list = el('div', { class: 'rows' })
  readonly #steps: readonly Step[]
  #shown: readonly number[]
  #selected = -1
  #unrolled = false

  constructor(steps: readonly Step[], choose: (index: number) => void) {
    this.#steps = steps
    this.#shown = steps.map((_, index) => index)
    this.element = el(
      'div',
      { class: 'timeline', role: 'listbox', tabindex: 0, 'aria-label': 'Steps of the story', id: 'timeline' },
      this.#list,
    )
    this.element.addEventListener('scroll', () => this.#render(), { passive: true })
    this.#list.addEventListener('click', ({ target }) => {
      const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
      if (row !== null) choose(Number(row.dataset.index))
    })
    new ResizeObserver(() => this.#render()).observe(this.element)
  }

  /** Which steps are listed, by index. */
  list(shown: readonly number[]): void {
    this.#shown = shown
    this.#list.style.height = this.#unrolled ? '' : `${shown.length * rowHeight}px`
    this.element.classList.toggle('none', shown.length < Math.min(1, this.#steps.length))
    this.#reveal()
    this.#render()
  }

  show(index: number): void {
    this.#selected = index
    this.#reveal()
    this.#render()
  }

  /** For print: all rows, one under the other. */
  unroll(on: boolean): void {
    this.#unrolled = on
    this.element.classList.toggle('unrolled', on)
    this.list(this.#shown)
  }

  #reveal(): void {
    const place = this.#shown.indexOf(this.#selected)
    if (place < 0) return
    const { scrollTop, clientHeight } = this.element
    const top = place * rowHeight
    const room = Math.min(rowHeight * 2, Math.max(0, (clientHeight - rowHeight) / 2))
    if (top < scrollTop + room) this.element.scrollTop = top - room
    else if (top + rowHeight > scrollTop + clientHeight - room)
      this.element.scrollTop = top + rowHeight - clientHeight + room
  }

  #render(): void {
    const { scrollTop, clientHeight } = this.element
    const first = this.#unrolled ? 0 : Math.max(0, Math.floor(scrollTop / rowHeight) - margin)
    const last = this.#unrolled
      ? this.#shown.length
      : Math.min(this.#shown.length, Math.ceil((scrollTop + clientHeight) / rowHeight) + margin)
    const rows: HTMLElement[] = []
    for (let place = first; place < last; place += 1) {
      const index = this.#shown[place]
      const step = index === undefined ? undefined : this.#steps[index]
      if (index !== undefined && step !== undefined) rows.push(this.#row(step, index, place))
    }
    this.#list.replaceChildren(...rows)
    this.element.setAttribute('aria-activedescendant', `row-${this.#selected}`)
  }

  #row(step: Step, index: number, place: number): HTMLElement {
    const before = this.#steps[index - 1]
    const isSelected = index === this.#selected
    const mark = markOf(step, before)
    const row = el(
      'div',
      {
        class: `row s-${stateOf(step.to)}${step.execution === undefined ? '' : ' execution'}`,
        id: `row-${index}`,
        role: 'option',
        'data-index': index,
        'aria-selected': isSelected ? 'true' : 'false',
        'aria-current': isSelected ? 'step' : undefined,
        'aria-posinset': place + 1,
        'aria-setsize': this.#shown.length,
      },
      el('span', { class: 'dot', 'aria-hidden': 'true' }),
      el('span', { class: 'version' }, versionWords(step)),
      el('span', { class: 'event' }, word(step.event.type)),
      el('span', { class: 'when' }, el('time', {}, clockWords(step.at))),
      el(
        'span',
        { class: 'second' },
        moveView(step),
        step.words === stageOf(step.to) ? undefined : el('span', { class: 'words' }, word(step.words)),
      ),
      el(
        'span',
        { class: 'since' },
        mark === undefined ? undefined : el('span', { class: `mark ${mark.kind}` }, mark.words),
        sinceWords(step, before),
      ),
    )
    if (!this.#unrolled) row.style.top = `${place * rowHeight}px`
    return row
  }
}

/** Where the step leads, if anywhere; of stages their names alone. */
function moveView({ from, to }: Step): HTMLElement {
  if (from === to) return el('span', { class: 'to same' }, spoken(`stays ${to}`))
  const isStage = stateOf(from) === stateOf(to)
  return el(
    'span',
    { class: `to ${isStage ? 'stage' : 'state'}` },
    spoken(`to ${to}`),
    el('span', { 'aria-hidden': 'true' }, `→ ${isStage ? stageOf(to) || to : stateOf(to)}`),
  )
}
