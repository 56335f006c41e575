import {
  type BoxEvent,
  type BoxSpec,
  type BoxState,
  type ExecutionEvent,
  type ExecutionState,
  isRefusal,
  pathOf,
  step,
  stepExecution,
  streamOf,
} from 'boxledger/machines'
import type { Append, Ledger } from 'boxledger/store'
import { alphabet } from '../machines/alphabet.ts'

/**
 * A history for a golden ledger: boxes that end in every state that the machine has, with every event, executions,
 * specs of all kinds, command IDs, actors and causes; the same whenever it is made.
 */
export async function liveThrough(ledger: Ledger): Promise<void> {
  const lives = [...livesOf()]
  const clock = { now: Date.parse('2026-01-01T00:00:00.000Z') }
  const states = new Map<string, { state: BoxState; position: number; version: number }>()
  const longest = Math.max(...lives.map(({ events }) => events.length))
  for (let turn = 0; turn < longest; turn += 1)
    for (const { id, events } of lives) {
      const event = events[turn]
      if (event === undefined) continue
      const before = states.get(id)
      const version = (before?.version ?? 0) + 1
      clock.now += 250
      const fed =
        'incarnation' in event ? { ...event, incarnation: incarnationOf(event, before?.state) } : event
      const transition = step(before?.state, fed as BoxEvent, { at: clock.now, version })
      if (isRefusal(transition)) throw new Error(`${event.type} is refused in ${transition.state}`)
      const meta: Append['meta'] = event.type.endsWith('.requested')
        ? { commandId: `${id}-${version}`, actor: 'Ümläut 😀 "quoted"' }
        : before === undefined
          ? {}
          : { cause: before.position }
      const { record } = await ledger.append({
        ...{ box: id, expectedVersion: version - 1, transition, at: clock.now, meta },
      })
      states.set(id, { state: transition.state, position: record.position, version })
      if (turn % 5 === 3)
        await execute(ledger, id, `run${String(turn).padStart(9, '0')}`, clock, turn + Number(id.slice(-2)))
    }
}

function incarnationOf(event: BoxEvent, state: BoxState | undefined): number {
  const known = state?.context.incarnation ?? 0
  return event.type === 'incarnation.found' ? known + 1 : known
}

interface Life {
  readonly id: string
  readonly events: readonly BoxEvent[]
}

/** One life to each state by the shortest way, and one for each event that is on none of these ways. */
function* livesOf(): Generator<Life> {
  let count = 0
  const life = (events: readonly BoxEvent[]): Life => {
    const id = `golden${String(count).padStart(6, '0')}`
    // A box with disks cannot be saved.
    const isSaved = events.some(event => event.type.startsWith('snapshot.') || 'snapshot' in event)
    const spec = isSaved ? plain : (specs[count % specs.length] as BoxSpec)
    count += 1
    const labels = { n: String(count), 'key of ü': 'value' }
    const name = count % 3 === 0 ? null : `golden-${count}`
    return { id, events: [{ type: 'box.created', id, name, labels, spec }, ...events] }
  }
  const seen = new Set<string>()
  const { toStates, toEvents } = waysThrough()
  for (const way of toStates.values()) {
    for (const { type } of way) seen.add(type)
    yield life(way)
  }
  for (const [type, way] of toEvents) if (!seen.has(type)) yield life(way)
}

/** The shortest ways to each state of the machine, by its path, and over each type of event, where it tells something. */
function waysThrough() {
  const toStates = new Map<string, readonly BoxEvent[]>([['configured', []]])
  const toEvents = new Map<string, readonly BoxEvent[]>()
  const wanted = new Set(alphabet.map(({ type }) => type))
  const keys = new Set<string>()
  const born = step(undefined, birth, { at: 1, version: 1 })
  if (isRefusal(born)) throw new Error('No box can be born')
  const queue: { state: BoxState; way: readonly BoxEvent[] }[] = [{ state: born.state, way: [] }]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { state } = next
    const timers = Object.keys(state.timers).map(
      (timer): BoxEvent => ({ type: 'timer.fired', timer, incarnation: 1 }),
    )
    for (const event of [...alphabet, ...timers]) {
      const fed = 'incarnation' in event ? { ...event, incarnation: incarnationOf(event, state) } : event
      const outcome = step(state, fed as BoxEvent, { at: 1, version: 1 })
      if (isRefusal(outcome)) continue
      const key = keyOf(outcome.state)
      const way = [...next.way, event]
      if (key !== keyOf(state) && !toEvents.has(event.type)) toEvents.set(event.type, way)
      if (keys.has(key)) continue
      keys.add(key)
      const path = pathOf(outcome.state.value)
      if (!toStates.has(path)) toStates.set(path, way)
      queue.push({ state: outcome.state, way })
    }
    const isDone = keys.size > 600 && [...wanted].every(type => toEvents.has(type))
    if (isDone || keys.size > 6_000) break
  }
  // What never tells anything is recorded all the same.
  for (const event of alphabet)
    if (!toEvents.has(event.type)) toEvents.set(event.type, [...(toStates.get('running.ready') ?? []), event])
  return { toStates, toEvents }
}

function keyOf({ value, context }: BoxState): string {
  const { stop, next, open, seen, name, snapshots } = context
  const saved = [snapshots?.saving?.written, snapshots?.kept.map(({ leaving }) => leaving ?? false)]
  return JSON.stringify([pathOf(value), stop?.cause, stop?.mode, next, open, seen, name, saved])
}

async function execute(
  ledger: Ledger,
  box: string,
  id: string,
  clock: { now: number },
  turn: number,
): Promise<void> {
  const stream = streamOf({ box, execution: id })
  const asked = {
    type: 'exec.started',
    id,
    box,
    incarnation: 1,
    command: 'true',
    tty: turn % 2 === 0,
  } as const
  const given = turn % 2 === 0 ? ['in', 'clear'] : { count: 2, hmac: 'ab'.repeat(32) }
  const events: ExecutionEvent[] = [{ ...asked, arguments: given, cwd: '/srv', user: 'nobody', timeoutMs: 5 }]
  if (turn % 3 === 0)
    events.push({ type: 'exec.ended', incarnation: 1, exitCode: 137, signal: 'SIGKILL', reason: 'timed-out' })
  else if (turn % 3 === 1)
    events.push({ type: 'exec.lost', incarnation: 1, reason: 'the engine ended before it' })
  let state: ExecutionState | undefined
  for (const [n, event] of events.entries()) {
    clock.now += 250
    const transition = stepExecution(state, event, { at: clock.now, version: n + 1 })
    if (isRefusal(transition)) throw new Error(`${event.type} is refused`)
    await ledger.append({ box: stream, expectedVersion: n, transition, at: clock.now, meta: {} })
    state = transition.state
  }
}

const plain: BoxSpec = {
  cpus: 1,
  memoryMib: 256,
  autoRemove: false,
  detach: true,
  restart: { policy: 'always' },
  stopTimeoutMs: 10_000,
}

const specs: readonly BoxSpec[] = [
  plain,
  {
    ...plain,
    image: 'mine',
    agent: true,
    command: ['sh', '-c', 'echo "ü"'],
    env: { A: 'b', TOKEN: { secret: 'token' } },
    workdir: '/srv',
    user: 'nobody:nogroup',
    restart: {
      policy: 'always',
      maxRetries: 3,
      backoff: { initialMs: 100, factor: 2, maxMs: 30_000, jitter: 0.2, resetAfterMs: 10_000 },
    },
  },
  {
    ...plain,
    cpus: 4,
    image: { kernel: '/k', initramfs: '/i', cmdline: 'quiet', disks: [{ path: '/d', format: 'raw' }] },
    disks: [{ path: '/e', format: 'qcow2', readonly: true }],
    detach: false,
    ready: { console: 'login:' },
    health: { command: ['true'], intervalMs: 1_000, timeoutMs: 500, retries: 3, startPeriodMs: 0 },
  },
]

const birth: BoxEvent = { type: 'box.created', id: 'golden000000', name: null, labels: {}, spec: plain }
