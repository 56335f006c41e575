import type { Layout } from '../../src/viewer/layout.ts'
import { stateOf } from '../../src/viewer/paths.ts'
import { middleOf, wayPath } from '../../src/viewer/pen.ts'
import { Routes, Walk } from '../../src/viewer/routes.ts'
import { drawingStyle } from '../../src/viewer/style/drawing.ts'
import { paletteStyle } from '../../src/viewer/style/palette.ts'
import { stepOf } from '../viewer/steps.ts'

/** What a box goes through that crashes twice, is started again by its policy, and has just crashed once more. */
const start = ['queued', 'preparing', 'spawning', 'connecting', 'creating', 'booting', 'waiting']
const life = [...start.map(stage => `starting.${stage}`), 'running.steady', 'crashed.scheduling']
const way = ['configured', ...life, 'crashed.waiting', ...life, 'crashed.waiting', ...life]

/** The machine as the page draws it, with that way; it takes dark from light by itself. */
export function machinePicture(layout: Layout): string {
  const { width, height, places, lines } = layout
  const steps = way.map((to, n) => stepOf({ from: way[n - 1] ?? '', to }))
  const routes = new Routes(layout)
  const taken = steps.map(({ from, to }) => routes.between(from, to))
  const walk = new Walk(steps, taken)
  walk.to(steps.length - 1)
  const now = way.at(-1) ?? ''
  const last = taken.at(-1)
  const move = lines[last?.line ?? -1]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="-8 -8 ${width + 16} ${height + 16}" font-family="system-ui, sans-serif">`,
    '<title>The box machine, with the way of a box that has crashed three times</title>',
    `<style>${paletteStyle}${drawingStyle}svg { background: var(--sheet) }</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="4" markerHeight="4" orient="auto"><path d="M0 0L8 4L0 8Z"/></marker></defs>',
    ...places.map(({ id, kind, x, y, width, height }) => {
      const marks = [
        ...(walk.timesIn(id) > 0 ? ['visited'] : []),
        ...(id === now || id === stateOf(now) ? ['now'] : []),
      ]
      const isLone = kind === 'stage' || height < 40
      const at = isLone
        ? `x="${width / 2}" y="${height / 2}" class="middle"`
        : `x="${kind === 'group' ? 16 : 12}" y="20"`
      const round = { stage: 5, state: 9, group: 14 }[kind]
      return (
        `<g class="${['place', kind, `s-${stateOf(id).replaceAll(' ', '-')}`, ...marks].join(' ')}" transform="translate(${x} ${y})">` +
        `<rect width="${width}" height="${height}" rx="${round}"/><text ${at}>${id.split('.').at(-1)}</text></g>`
      )
    }),
    ...lines.map(
      ({ points }, n) =>
        `<path class="line${walk.timesAlong(n) > 0 ? ' taken' : ''}" d="${wayPath(points, false)}"/>`,
    ),
    `<path class="move" marker-end="url(#arrow)" d="${wayPath(move?.points ?? [], last?.back ?? false)}"/>`,
    ...lines.map(({ points }, n) => {
      const middle = middleOf(points)
      const times = walk.timesAlong(n)
      if (middle === undefined || times < 2) return ''
      return (
        `<g class="count shown" transform="translate(${middle.x} ${middle.y})">` +
        `<rect x="-8.5" y="-8" width="17" height="16" rx="8"/><text class="middle">${times}</text></g>`
      )
    }),
    '</svg>\n',
  ].join('\n')
}
