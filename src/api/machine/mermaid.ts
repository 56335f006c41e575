import { type MachineState, type Move, within } from './graph.ts'

const topOf = (path: string) => path.split('.')[0] ?? ''
const idOf = (path: string) => path.replaceAll('.', '_')
const block = (lines: readonly string[]) => ['stateDiagram-v2', ...lines].join('\n')

/** Arrows between the same two states are one, with all that leads along it. */
function arrows(edges: readonly { from: string; to: string; label: string }[]): string[] {
  const labels = new Map<string, Set<string>>()
  for (const { from, to, label } of edges) {
    const arrow = `${idOf(from)} --> ${idOf(to)}`
    labels.set(arrow, (labels.get(arrow) ?? new Set()).add(label))
  }
  return [...labels].map(([arrow, words]) => `  ${arrow} : ${[...words].join('<br/>')}`)
}

/** The life of a box: its public states, and what leads from one to another. */
export function drawLife(machine: MachineState): string {
  const edges = machine.children.flatMap(state =>
    within(state).flatMap(({ moves }) =>
      moves
        .filter(({ target }) => target !== undefined && topOf(target) !== state.path)
        .map(({ event, target = '' }) => ({ from: state.path, to: topOf(target), label: event })),
    ),
  )
  return block([`  [*] --> ${machine.initial}`, ...arrows(edges)])
}

/** What happens wherever a box is, while it has a VMM. */
export function drawAnywhere(machine: MachineState): string {
  const edges = machine.moves
    .filter(({ target }) => target !== undefined)
    .map(move => ({ from: 'any', to: topOf(move.target ?? ''), label: labelOf(move, machine) }))
  return block(['  state "any state with a VMM" as any', ...arrows(edges)])
}

/** One state from within; the states that it is left for stand outside. */
export function drawInside(state: MachineState): string {
  const from = (path: string) => (path === state.path ? `${state.path}.any` : path)
  const edges = within(state).flatMap(inner =>
    inner.moves
      .filter(({ target }) => target !== undefined)
      .map(move => ({ from: from(inner.path), to: move.target ?? '', label: labelOf(move, inner) })),
  )
  const inside = (path: string) => path.startsWith(`${state.path}.`)
  const names = [...new Set(edges.flatMap(edge => [edge.from, edge.to]))]
  const shorten = (path: string) => {
    if (path === `${state.path}.any`) return `any of ${state.path}`
    return inside(path) ? path.slice(state.path.length + 1) : path
  }
  const shared = [...state.children.map(child => child.path), ...names.filter(name => name.endsWith('.any'))]
  return block([
    ...shared.map(path => `  state "${shorten(path)}" as ${idOf(path)}`),
    ...names.filter(name => !inside(name)).map(path => `  state "${path}" as ${idOf(path)}`),
    `  [*] --> ${idOf(state.initial ?? '')}`,
    ...arrows(edges),
  ])
}

/** The guard too, where the event alone does not say which way. */
function labelOf({ event, guard }: Move, { moves }: Pick<MachineState, 'moves'>): string {
  const alone = moves.filter(move => move.event === event).length === 1
  if (guard === undefined) return alone ? event : `${event} [else]`
  return `${event} [${guard}]`
}
