import { svg } from './dom.ts'
import type { Layout, Place } from './layout.ts'
import { stateOf } from './paths.ts'
import { middleOf, straightPath, wayPath } from './pen.ts'
import { type Route, Routes, Walk } from './routes.ts'
import type { Step } from './story.ts'

/** Room beside the outermost lines for their numbers, in `px` */
const margin = 14

/** The machine, with the way that the box has gone. */
export class Drawing {
  readonly element: SVGSVGElement
  readonly #layout: Layout
  readonly #steps: readonly Step[]
  readonly #routes: readonly (Route | undefined)[]
  readonly #walk: Walk
  readonly #places = new Map<string, SVGGElement>()
  readonly #lines: SVGPathElement[] = []
  readonly #counts: (SVGGElement | undefined)[] = []
  readonly #move = svg('path', { class: 'move', 'marker-end': 'url(#arrow)', pathLength: 1 })
  readonly #title = svg('title', { id: 'drawing-title' })

  constructor(layout: Layout, steps: readonly Step[]) {
    this.#layout = layout
    this.#steps = steps
    const routes = new Routes(layout)
    this.#routes = steps.map(({ execution, from, to }) =>
      execution === undefined ? routes.between(from, to) : undefined,
    )
    this.#walk = new Walk(steps, this.#routes)
    this.element = svg(
      'svg',
      {
        class: 'drawing',
        viewBox: `${-margin} 0 ${layout.width + 2 * margin} ${layout.height}`,
        role: 'img',
        'aria-labelledby': 'drawing-title',
      },
      this.#title,
      svg('defs', {}, arrow()),
      ...layout.places.map(place => this.#place(place)),
      ...layout.lines.map(({ points }) => this.#line(points)),
      this.#move,
      ...layout.lines.map(({ points }) => this.#count(points)),
    )
  }

  /** The machine as it was after a step. */
  show(index: number): void {
    this.#walk.to(index)
    const now = this.#pathAt(index)
    for (const [id, group] of this.#places) {
      group.classList.toggle('visited', this.#walk.timesIn(id) > 0)
      group.classList.toggle('now', id === now || id === stateOf(now))
    }
    for (const [line, path] of this.#lines.entries()) {
      const times = this.#walk.timesAlong(line)
      path.classList.toggle('taken', times > 0)
      showCount(this.#counts[line], times)
    }
    this.#showMove(index)
    this.#title.textContent = `The box machine, in ${now || 'no state yet'}`
  }

  #showMove(index: number): void {
    const step = this.#steps[index]
    const moved = step !== undefined && step.execution === undefined && step.from !== step.to
    const path = moved && step.from !== '' ? this.#pathOf(index, step) : undefined
    this.#move.setAttribute('d', path ?? '')
    // Drawn anew, so that it is seen to go.
    this.#move.classList.remove('going')
    this.#move.getBoundingClientRect()
    this.#move.classList.toggle('going', path !== undefined)
  }

  #pathOf(index: number, step: Step): string | undefined {
    const route = this.#routes[index]
    const line = route === undefined ? undefined : this.#layout.lines[route.line]
    if (route !== undefined && line !== undefined) return wayPath(line.points, route.back)
    const find = (path: string) =>
      this.#layout.places.find(({ id }) => id === path) ??
      this.#layout.places.find(({ id }) => id === stateOf(path))
    const [from, to] = [find(step.from), find(step.to)]
    return from === undefined || to === undefined || from === to ? undefined : straightPath(from, to)
  }

  /** Executions change nothing of the box. */
  #pathAt(index: number): string {
    for (let n = index; n >= 0; n -= 1) {
      const step = this.#steps[n]
      if (step !== undefined && step.execution === undefined) return step.to
    }
    return ''
  }

  #place({ id, kind, description, x, y, width, height }: Place): SVGGElement {
    const name = id.split('.').at(-1) ?? id
    const isLone = kind === 'stage' || height < 40
    const group = svg(
      'g',
      { class: `place ${kind} s-${stateOf(id)}`, transform: `translate(${x} ${y})` },
      description === '' ? undefined : svg('title', {}, description),
      svg('rect', { width, height, rx: kind === 'stage' ? 5 : kind === 'state' ? 9 : 14 }),
      svg(
        'text',
        isLone ? { x: width / 2, y: height / 2, class: 'middle' } : { x: kind === 'group' ? 16 : 12, y: 20 },
        name,
      ),
    )
    this.#places.set(id, group)
    return group
  }

  #line(points: readonly number[]): SVGPathElement {
    const path = svg('path', { class: 'line', d: wayPath(points, false) })
    this.#lines.push(path)
    return path
  }

  #count(points: readonly number[]): SVGGElement | undefined {
    const middle = middleOf(points)
    const group =
      middle &&
      svg(
        'g',
        { class: 'count', transform: `translate(${middle.x} ${middle.y})` },
        svg('rect', { y: -8, height: 16, rx: 8 }),
        svg('text', { class: 'middle' }),
      )
    this.#counts.push(group)
    return group
  }
}

/** Once needs no number. */
function showCount(count: SVGGElement | undefined, times: number): void {
  const [rect, text] = [count?.querySelector('rect'), count?.querySelector('text')]
  if (!count || !rect || !text) return
  count.classList.toggle('shown', times > 1)
  text.textContent = String(times)
  const width = 11 + 6 * text.textContent.length
  rect.setAttribute('width', String(width))
  rect.setAttribute('x', String(-width / 2))
}

function arrow(): SVGMarkerElement {
  return svg(
    'marker',
    { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 4, markerHeight: 4, orient: 'auto' },
    svg('path', { d: 'M0 0L8 4L0 8Z' }),
  )
}
