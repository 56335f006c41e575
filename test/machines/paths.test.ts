import {
  type BoxEvent,
  type BoxSnapshot,
  type BoxState,
  boxMachine,
  isBoxState,
  isRefusal,
  pathOf,
  type SnapshotsState,
  type StampedEvent,
  step,
} from 'boxledger/machines'
import * as assert from 'uvu/assert'
import type { StateNode } from 'xstate'
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph'
import { suite } from '../support/suite.ts'
import { alphabet, created as once, stamp } from './alphabet.ts'

const test = suite('machines: paths')

/** With a policy that restarts, every state is within reach. */
const created = { ...once, spec: { ...once.spec, restart: { policy: 'always' } } } as const satisfies BoxEvent

function leavesOf(node: StateNode<never, never>): string[] {
  const children = Object.values(node.states)
  return children.length === 0 ? [node.path.join('.')] : children.flatMap(child => leavesOf(child as never))
}

const leaves = leavesOf(boxMachine.root as never)

/** Delays of a state are events too: XState names them after the delay and the state. */
const delays = leaves.flatMap(leaf =>
  (boxMachine.getStateNodeById(`box.${leaf}`).after ?? []).map(
    transition => ({ type: transition.eventType, at: 1_000 }) as unknown as StampedEvent,
  ),
)

const originKey = ({ origin, boots }: Partial<SnapshotsState> = {}) =>
  origin && 'template' in origin ? ['template', boots] : origin?.name

/** Of snapshots, what matters in a state. */
const snapshotKey = (path: string, snapshots: SnapshotsState | undefined) => [
  /^(running|paused|unknown)/.test(path) && [snapshots?.saving?.written, snapshots?.saving?.holds],
  /^(starting|unknown)/.test(path) && originKey(snapshots),
  /^(configured|running|stopped)/.test(path) && (snapshots?.kept.length ?? 0) > 0,
]

const keyOf = (snapshot: BoxSnapshot) => {
  const { open, next, stop, failure, seen, startedAt, snapshots } = snapshot.context
  return JSON.stringify([
    pathOf(snapshot.value as never),
    open,
    next,
    stop?.mode,
    stop?.cause,
    failure?.code,
    seen.poweredOff,
    seen.commandExit,
    startedAt === null,
    ...snapshotKey(pathOf(snapshot.value as never), snapshots),
  ])
}

const options = (events: readonly StampedEvent[]) => ({
  events: [...events],
  serializeState: keyOf,
  limit: 200_000,
  input: stamp(created),
})

interface Node {
  readonly state: BoxSnapshot
  readonly transitions: Record<string, { readonly event: StampedEvent; readonly state: BoxSnapshot }>
}

const all = [...alphabet.map(stamp), ...delays]
const paths = getShortestPaths(boxMachine, options(all) as never)
const byLeaf = new Map<string, (typeof paths)[number]>()
for (const path of paths) {
  const leaf = pathOf(path.state.value as never)
  if (!byLeaf.has(leaf)) byLeaf.set(leaf, path)
}

function fold(events: readonly StampedEvent[], look: (state: BoxState) => void = () => {}): BoxState {
  const begun = step(undefined, created, { at: 1_000, version: 1 })
  if (isRefusal(begun)) throw new Error('refused')
  let state = begun.state
  look(state)
  let version = 1
  for (const { at, ...event } of events) {
    if (event.type.startsWith('xstate.init')) continue
    const known = state.context.incarnation
    const incarnation = event.type === 'incarnation.found' ? known + 1 : known
    const fed = event.type.startsWith('xstate.after.')
      ? { type: 'timer.fired', timer: event.type, incarnation }
      : 'incarnation' in event
        ? { ...event, incarnation }
        : event
    version += 1
    const outcome = step(state, fed as BoxEvent, { at, version })
    if (isRefusal(outcome)) throw new Error(`${event.type} was refused in ${pathOf(state.value)}`)
    state = outcome.state
    look(state)
  }
  return state
}

const eventsOf = (path: (typeof paths)[number]) => path.steps.map(({ event }) => event as StampedEvent)

test('a path of events leads to every state', () => {
  assert.equal(
    leaves.filter(leaf => !byLeaf.has(leaf)),
    [],
  )
})

test('from every state, but unknown without a verdict, the box can be removed', () => {
  const map = getAdjacencyMap(boxMachine, options(all) as never) as Record<string, Node>
  const graph = Object.entries(map).map(([key, node]) => ({
    key,
    leaf: pathOf(node.state.value as never),
    next: Object.values(node.transitions).map(({ event, state }) => ({
      type: event.type,
      key: keyOf(state),
    })),
  }))
  const reachRemoved = (allowed: (type: string) => boolean) => {
    const reached = new Set(graph.filter(({ leaf }) => leaf === 'removed').map(({ key }) => key))
    for (let before = -1; before < reached.size; ) {
      before = reached.size
      for (const { key, next } of graph)
        if (next.some(edge => allowed(edge.type) && reached.has(edge.key))) reached.add(key)
    }
    return graph.filter(({ key }) => reached.has(key))
  }
  assert.is(reachRemoved(() => true).length, graph.length, 'from each state there is a way')
  const isCommand = (type: string) => type.endsWith('.requested') || type === 'box.renamed'
  const out = (allowed: (type: string) => boolean) =>
    graph
      .filter(({ leaf }) => leaf === 'unknown')
      .flatMap(({ next }) => next)
      .filter(edge => allowed(edge.type) && !edge.key.startsWith('["unknown"'))
  assert.equal(out(isCommand), [], 'no command leads out of unknown without a verdict')
  const unknown = graph.filter(({ leaf }) => leaf === 'unknown').length
  const settled = reachRemoved(type => isCommand(type) || type === 'box.resolved' || type === 'box.removed')
  assert.is(settled.filter(({ leaf }) => leaf === 'unknown').length, unknown, 'a verdict leads out of it')
})

test('the step is pure: it runs with clock, chance and timers throwing, twice the same', () => {
  const real = {
    now: Date.now,
    random: Math.random,
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    setImmediate: globalThis.setImmediate,
    performance: performance.now,
  }
  const forbid = (what: string) => () => {
    throw new Error(`${what} in the step`)
  }
  const folded: [BoxState, BoxState][] = []
  try {
    Date.now = forbid('Date.now')
    Math.random = forbid('Math.random')
    performance.now = forbid('performance.now')
    globalThis.setTimeout = forbid('setTimeout') as never
    globalThis.setInterval = forbid('setInterval') as never
    globalThis.setImmediate = forbid('setImmediate') as never
    for (const path of byLeaf.values()) folded.push([fold(eventsOf(path)), fold(eventsOf(path))])
  } finally {
    Date.now = real.now
    Math.random = real.random
    performance.now = real.performance
    globalThis.setTimeout = real.setTimeout
    globalThis.setInterval = real.setInterval
    globalThis.setImmediate = real.setImmediate
  }
  assert.is(folded.length, leaves.length)
  for (const [one, other] of folded) assert.equal(one, other)
})

test('every state survives JSON, is known again, and goes on from it as from itself', () => {
  for (const [leaf, path] of byLeaf) {
    const state = fold(eventsOf(path), each => {
      const copy: unknown = JSON.parse(JSON.stringify(each))
      assert.equal(copy, each)
      assert.ok(isBoxState(copy), `${leaf}: ${JSON.stringify(copy)}`)
    })
    assert.is(pathOf(state.value), leaf)
    const copy = JSON.parse(JSON.stringify(state)) as BoxState
    for (const event of alphabet) {
      const fed = 'incarnation' in event ? { ...event, incarnation: state.context.incarnation } : event
      const at = { at: 2_000, version: 99 }
      assert.equal(
        step(copy, fed as BoxEvent, at),
        step(state, fed as BoxEvent, at),
        `${event.type} in ${leaf}`,
      )
    }
  }
})

test('what a state holds is what its path asked for: effects of its invocations, timers of its delays', () => {
  for (const [leaf, path] of byLeaf) {
    const state = fold(eventsOf(path))
    const nodes = leaf
      .split('.')
      .map((_, n, words) => boxMachine.getStateNodeById(`box.${words.slice(0, n + 1).join('.')}`))
    assert.equal(
      Object.keys(state.effects).sort(),
      nodes.flatMap(node => node.invoke.map(({ id }) => id)).sort(),
      leaf,
    )
    assert.equal(
      Object.keys(state.timers).sort(),
      [...new Set(nodes.flatMap(node => node.after.map(({ eventType }) => eventType)))].sort(),
      leaf,
    )
  }
})

test('states are few, described, and tagged or public', () => {
  const top = Object.values(boxMachine.root.states)
  assert.ok(top.length <= 12)
  for (const leaf of leaves) assert.ok(boxMachine.getStateNodeById(`box.${leaf}`).description, leaf)
})

test.run()
