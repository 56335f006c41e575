import { acceptanceOf } from './acceptance.ts'
import { commands, eventsOf } from './event-order.ts'
import { casesOf, leavesOf, type MachineState, type Move, within } from './graph.ts'

/** Rows of a table; the first column may be left empty where it repeats. */
export type Rows = readonly (readonly string[])[]

export interface Table {
  readonly head: readonly string[]
  readonly rows: Rows
}

const topOf = (path: string) => path.split('.')[0] ?? ''
const marks = { yes: 'yes', no: '-', partly: 'partly' } as const
const short = (command: string) => command.replace(/\.?requested$|^box\./g, '').toUpperCase()

/** The drawing, for a terminal: the arrows from each public state, with what leads along them. */
export function arrowsOf(machine: MachineState): Rows {
  const anywhere = arrows(machine.moves).map(row => ['any with a VMM', ...row])
  return [...machine.children.flatMap(state => arrowsFrom(state, machine)), ...withoutRepeats(anywhere)]
}

function arrowsFrom(state: MachineState, machine: MachineState): Rows {
  const moves = within(state).flatMap(({ moves }) => moves)
  const rows = arrows(moves.filter(({ target }) => topOf(target ?? '') !== state.path))
  const first = machine.initial === state.path ? `${state.path} (at first)` : state.path
  return withoutRepeats(rows.length === 0 ? [[first, '', '']] : rows.map(row => [first, ...row]))
}

function arrows(moves: readonly Move[]): string[][] {
  const labels = new Map<string, Set<string>>()
  for (const { event, target } of moves)
    if (target !== undefined) labels.set(topOf(target), (labels.get(topOf(target)) ?? new Set()).add(event))
  return [...labels].map(([to, events]) => [`-> ${to}`, [...events].join(', ')])
}

/** Which commands each public state takes. */
export function acceptanceTable(machine: MachineState): Table {
  return {
    head: ['STATE', ...commands.map(short)],
    rows: acceptanceOf(machine).map(({ state, accepts }) => [
      state,
      ...commands.map(command => marks[accepts[command]]),
    ]),
  }
}

/** What each event can come to in each state, or in one public state: the cases, in the order in which they are tried. */
export function casesTable(machine: MachineState, only?: string): Table {
  const own = machine.children
    .filter(({ path }) => only === undefined || path === only)
    .flatMap(state => leavesOf(state).flatMap(leaf => rowsOf(leaf, state)))
  const everywhere = eventsOf([machine]).map(event => ['everywhere', event, words(casesOf([machine], event))])
  return { head: ['STATE', 'EVENT', 'CASES'], rows: withoutRepeats([...own, ...everywhere]) }
}

/** Events that a state leaves to all states alike are not repeated with it. */
function rowsOf(leaf: MachineState, state: MachineState): string[][] {
  const around = leaf === state ? [state] : [leaf, state]
  return eventsOf(around).map(event => [leaf.path, event, words(casesOf(around, event))])
}

function words(cases: readonly Move[]): string {
  return cases
    .map(({ guard, target, actions }) => {
      const noted = actions.length === 0 ? 'noted' : actions.join(' + ')
      const what = target === undefined ? noted : `-> ${target}`
      return guard === undefined ? what : `[${guard}] ${what}`
    })
    .join(' | ')
}

function withoutRepeats(rows: Rows): Rows {
  return rows.map((row, n) => (rows[n - 1]?.[0] === row[0] ? ['', ...row.slice(1)] : row))
}
