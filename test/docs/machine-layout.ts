import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js'
import { type MachineState, readMachine, within } from '../../src/api/machine/graph.ts'
import type { Layout, Line, Place } from '../../src/viewer/layout.ts'

/**
 * How the machine is drawn: as a statechart, where what is true of all states of a group is one line from its border.
 * Every public state stands in one row, in this order.
 */
export const rows: readonly (string | { readonly group: string; readonly states: readonly string[] })[] = [
  'configured',
  { group: 'has a VMM', states: ['starting', 'running', 'paused', 'stopping'] },
  'unknown',
  { group: 'down', states: ['stopped', 'failed', 'crashed'] },
  'removing',
  'removed',
]

const lines: readonly (readonly [string, string])[] = [
  ['configured', 'starting'],
  ['starting', 'running'],
  ['running', 'paused'],
  ['running', 'stopping'],
  ['starting', 'stopping'],
  ['paused', 'stopping'],
  ['has a VMM', 'unknown'],
  ['has a VMM', 'stopped'],
  ['has a VMM', 'failed'],
  ['has a VMM', 'crashed'],
  ['has a VMM', 'removing'],
  ['down', 'starting'],
  ['removing', 'removed'],
]

/** Between places that come to stand side by side, and would be set one below the other for its sake. */
const across = ['down', 'removing'] as const

const layered = {
  'elk.algorithm': 'layered',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.considerModelOrder.strategy': 'PREFER_NODES',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
}
const wide = {
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeNode': '12',
  'elk.layered.spacing.nodeNodeBetweenLayers': '20',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.spacing.edgeNodeBetweenLayers': '8',
}
const narrow = {
  'elk.spacing.nodeNode': '6',
  'elk.spacing.edgeEdge': '5',
  'elk.spacing.edgeNode': '6',
  'elk.layered.spacing.nodeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '6',
  'elk.layered.spacing.edgeNodeBetweenLayers': '6',
}

/** The drawing of the machine, laid out. */
export async function layOutMachine(): Promise<Layout> {
  const machine = readMachine()
  const states = new Map(machine.children.map(state => [state.path, state]))
  const nodeOf = (path: string, isDown = false): ElkNode => stateNode(states.get(path), path, isDown)
  const graph: ElkNode = {
    id: '',
    children: rows.map(row =>
      typeof row === 'string'
        ? nodeOf(row)
        : {
            id: row.group,
            children: row.states.map(path => nodeOf(path, row.group === 'down')),
            layoutOptions: { ...wide, 'elk.padding': '[top=26,left=14,bottom=14,right=14]' },
          },
    ),
    edges: lines.map(([from, to]) => edge(from, to)),
    layoutOptions: {
      ...layered,
      ...wide,
      'elk.direction': 'DOWN',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.layered.crossingMinimization.forceNodeModelOrder': 'true',
      'elk.padding': '[top=4,left=4,bottom=4,right=4]',
    },
  }
  const root = await new elk.default().layout(graph)
  const described = new Map(within(machine).map(({ path, description }) => [path, description]))
  const places = placesOf(root, described)
  const placed = new Map(places.map(place => [place.id, place]))
  return {
    width: Math.ceil(root.width ?? 0),
    height: Math.ceil(root.height ?? 0),
    places,
    lines: [...linesOf(root, placed), lineAcross(...across, placed)],
  }
}

/** The same as the file that is committed. */
export async function layoutModule(): Promise<string> {
  const { width, height, places, lines } = await layOutMachine()
  const list = (values: readonly unknown[]) => values.map(value => `    ${JSON.stringify(value)},\n`).join('')
  return `// Made from src/machines/box.ts by \`npm run docs\`; do not edit. A test fails when this file is stale.
import type { Layout } from './layout.ts'

export const machineLayout: Layout = {
  width: ${width},
  height: ${height},
  places: [
${list(places)}  ],
  lines: [
${list(lines)}  ],
}
`
}

const edge = (from: string, to: string): ElkExtendedEdge => ({
  id: `${from}>${to}`,
  sources: [from],
  targets: [to],
})

function stateNode(state: MachineState | undefined, path: string, isDown: boolean): ElkNode {
  if (state === undefined) throw new Error(`The machine has no state ${path}`)
  if (state.children.length === 0) return { id: path, width: widthOf(path) + 24, height: 34 }
  return {
    id: path,
    children: state.children.map(({ path: stage }) => ({ id: stage, width: widthOf(stage), height: 22 })),
    edges: stepsWithin(state),
    layoutOptions: {
      ...layered,
      ...narrow,
      'elk.hierarchyHandling': 'SEPARATE_CHILDREN',
      'elk.direction': isDown ? 'DOWN' : 'RIGHT',
      'elk.padding': '[top=28,left=10,bottom=10,right=10]',
    },
  }
}

/** From stage to stage; a line serves both ways. */
function stepsWithin(state: MachineState): ElkExtendedEdge[] {
  const stages = new Set(state.children.map(({ path }) => path))
  const seen = new Map<string, ElkExtendedEdge>()
  for (const { path, moves } of state.children)
    for (const { target = path } of moves)
      if (target !== path && stages.has(target) && !seen.has(`${target}>${path}`))
        seen.set(`${path}>${target}`, edge(path, target))
  return [...seen.values()]
}

/** Room for a name in small letters. */
function widthOf(path: string): number {
  return Math.round((path.split('.').at(-1) ?? '').length * 6.1 + 18)
}

function placesOf(root: ElkNode, described: ReadonlyMap<string, string>): Place[] {
  const places: Place[] = []
  const walk = (node: ElkNode, x: number, y: number) => {
    for (const child of node.children ?? []) {
      const place = { x: x + (child.x ?? 0), y: y + (child.y ?? 0) }
      places.push({
        id: child.id,
        kind: kindOf(child.id, described),
        ...(node.id === '' ? {} : { within: node.id }),
        description: described.get(child.id) ?? '',
        x: Math.round(place.x),
        y: Math.round(place.y),
        width: Math.round(child.width ?? 0),
        height: Math.round(child.height ?? 0),
      })
      walk(child, place.x, place.y)
    }
  }
  walk(root, 0, 0)
  return places
}

function kindOf(id: string, described: ReadonlyMap<string, string>): Place['kind'] {
  if (!described.has(id)) return 'group'
  return id.includes('.') ? 'stage' : 'state'
}

/** Lines are told from the place that holds them. */
function linesOf(root: ElkNode, places: ReadonlyMap<string, Place>): Line[] {
  const lines: Line[] = []
  const walk = (node: ElkNode) => {
    for (const { sources, targets, sections = [], container } of (node.edges ?? []) as (ElkExtendedEdge & {
      container?: string
    })[]) {
      const { x, y } = places.get(container ?? node.id) ?? { x: 0, y: 0 }
      const corners = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
        startPoint,
        ...bendPoints,
        endPoint,
      ])
      const points = corners.flatMap(corner => [Math.round(x + corner.x), Math.round(y + corner.y)])
      lines.push({ from: sources[0] ?? '', to: targets[0] ?? '', points })
    }
    for (const child of node.children ?? []) walk(child)
  }
  walk(root)
  return lines
}

function lineAcross(from: string, to: string, places: ReadonlyMap<string, Place>): Line {
  const [a, b] = [places.get(from), places.get(to)]
  if (a === undefined || b === undefined || a.x + a.width >= b.x)
    throw new Error(`${to} does not stand to the right of ${from}`)
  const top = Math.max(a.y, b.y)
  const bottom = Math.min(a.y + a.height, b.y + b.height)
  const y = Math.round((top + bottom) / 2)
  return { from, to, points: [a.x + a.width, y, b.x, y] }
}
