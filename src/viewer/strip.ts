import { el, svg, word } from './dom.ts'
import { markOf, sentenceOf } from './marks.ts'
import { stateOf } from './paths.ts'
import type { Incarnation, Step, Story } from './story.ts'

/** How high a state stands: colours alone would not tell everybody. */
const heights: Readonly<Record<string, number>> = {
  running: 40,
  paused: 30,
  starting: 20,
  stopping: 20,
  unknown: 26,
  removing: 14,
}
const low = 8
const full = 40

/** The whole story as a strip of states, incarnations beneath; a slider lies over it. */
export class Strip {
  readonly element: HTMLElement
  readonly #slider: HTMLInputElement
  readonly #steps: readonly Step[]
  readonly #cursor = el('div', { class: 'cursor' })

  constructor({ steps, incarnations }: Story, choose: (index: number) => void) {
    this.#steps = steps
    const count = Math.max(1, steps.length)
    this.#slider = el('input', {
      type: 'range',
      min: 0,
      max: Math.max(0, steps.length - 1),
      value: 0,
      'aria-label': 'Step of the story',
      class: 'slider',
    })
    this.#slider.addEventListener('input', () => choose(Number(this.#slider.value)))
    const picture = svg('svg', {
      class: 'states',
      viewBox: `0 0 ${count} ${full + 4}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    })
    for (const [state, d] of barsOf(steps)) picture.append(svg('path', { class: `bar s-${state}`, d }))
    for (const [index, step] of steps.entries()) {
      const mark = markOf(step, steps[index - 1])
      if (mark !== undefined)
        picture.append(svg('line', { class: mark.kind, x1: index, x2: index, y1: 0, y2: full + 4 }))
    }
    this.element = el(
      'div',
      { class: 'strip' },
      el('div', { class: 'track' }, picture, this.#cursor, this.#slider),
      bandsOf(incarnations, count),
    )
  }

  show(index: number): void {
    this.#slider.value = String(index)
    const step = this.#steps[index]
    this.#slider.setAttribute('aria-valuetext', step === undefined ? 'nothing' : sentenceOf(step))
    this.#cursor.style.left = `${((index + 0.5) / Math.max(1, this.#steps.length)) * 100}%`
  }
}

/** Steps in a row in one state are one bar; all bars of a state are one path. */
function barsOf(steps: readonly Step[]): Map<string, string> {
  const paths = new Map<string, string>()
  let begun = 0
  const states = stateEach(steps)
  for (const [index, state] of states.entries()) {
    if (states[index + 1] === state) continue
    const height = heights[state] ?? low
    const bar = `M${begun} ${full + 4}V${full + 4 - height}H${index + 1}V${full + 4}Z`
    paths.set(state, (paths.get(state) ?? '') + bar)
    begun = index + 1
  }
  return paths
}

/** The box's state at each step, those of executions included. */
function stateEach(steps: readonly Step[]): string[] {
  let state = ''
  return steps.map(step => {
    if (step.execution === undefined) state = stateOf(step.to)
    return state
  })
}

function bandsOf(incarnations: readonly Incarnation[], count: number): HTMLElement {
  const bands = el('div', { class: 'bands', 'aria-hidden': 'true' })
  for (const { number, first, last, ending } of incarnations) {
    const share = (last - first + 1) / count
    const end = ending === undefined ? 'has not ended' : ending.cause
    const band = el('div', { class: 'band', title: `Incarnation ${number}: ${end}` })
    band.style.left = `${(first / count) * 100}%`
    band.style.width = `${share * 100}%`
    if (share > 0.025) band.append(word(share > 0.09 ? `VMM ${number} · ${end}` : String(number)))
    bands.append(band)
  }
  return bands
}
