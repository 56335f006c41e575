import { boxMachine } from './box.ts'
import { namePattern } from './commands.ts'
import type { Head, StreamHead } from './record.ts'
import type { BoxState } from './state.ts'
import { isStream, partsOf, safeIdPattern } from './streams.ts'

/**
 * Whether a value out of a file is what it should be, as far as anything would fail, or be taken for something else, if
 * it were not. It is asked of every head that is loaded, so it is quick and written out by hand. Fields that are not
 * named here may be anything: a newer version may have more.
 */

type Fields = Readonly<Record<string, unknown>>
type Test = (value: unknown) => boolean

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText: Test = value => typeof value === 'string'
const isFlag: Test = value => typeof value === 'boolean'
const isCount: Test = value => Number.isSafeInteger(value) && Number(value) >= 0
const isPlace: Test = value => isCount(value) && Number(value) > 0
/** The last moment that a date can hold, in `ms since 1970`. */
const lastTime = 8.64e15
const isTime: Test = value => isCount(value) && Number(value) <= lastTime
const isDelay: Test = value => typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
const isName: Test = value => typeof value === 'string' && namePattern.test(value)
const isId: Test = value => typeof value === 'string' && safeIdPattern.test(value)
const isHash: Test = value => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

const orNull =
  (test: Test): Test =>
  value =>
    value === null || test(value)
const absentOr =
  (test: Test): Test =>
  value =>
    value === undefined || test(value)
const oneOf =
  (...words: readonly unknown[]): Test =>
  value =>
    words.includes(value)
const either =
  (...tests: readonly Test[]): Test =>
  value =>
    tests.some(test => test(value))
const listOf =
  (test: Test): Test =>
  value =>
    Array.isArray(value) && value.every(test)
const mapOf =
  (test: Test): Test =>
  value =>
    isObject(value) && Object.values(value).every(test)
const fields = (tests: Readonly<Record<string, Test>>): Test => {
  const names = Object.keys(tests)
  const asked = Object.values(tests)
  return value => {
    if (!isObject(value)) return false
    for (let n = 0; n < names.length; n += 1) if (!asked[n]?.(value[names[n] as string])) return false
    return true
  }
}

const disks = absentOr(listOf(fields({ path: isText })))
const backoff = fields({
  initialMs: isDelay,
  factor: isDelay,
  maxMs: isDelay,
  jitter: isDelay,
  resetAfterMs: isDelay,
})
const spec = fields({
  image: absentOr(
    either(
      isText,
      fields({
        kernel: isText,
        initramfs: absentOr(isText),
        cmdline: absentOr(isText),
        disks,
        agent: absentOr(isFlag),
      }),
    ),
  ),
  agent: absentOr(isFlag),
  command: absentOr(listOf(isText)),
  env: absentOr(mapOf(either(isText, fields({ secret: isText })))),
  workdir: absentOr(isText),
  user: absentOr(isText),
  cpus: isPlace,
  memoryMib: isPlace,
  disks,
  autoRemove: isFlag,
  detach: isFlag,
  restart: fields({
    policy: oneOf('no', 'on-failure', 'always', 'unless-stopped'),
    maxRetries: absentOr(isCount),
    backoff: absentOr(backoff),
  }),
  ready: absentOr(either(oneOf('guest', 'vmm'), fields({ console: isText }))),
  stopTimeoutMs: isDelay,
  health: absentOr(
    fields({
      command: either(oneOf('ping'), listOf(isText)),
      intervalMs: isDelay,
      timeoutMs: isDelay,
      retries: isPlace,
      startPeriodMs: isDelay,
    }),
  ),
})
const failure = fields({ code: isText, message: isText, details: absentOr(isObject) })
const cause = oneOf(
  ...['requested', 'guest-poweroff', 'host-reboot', 'crash', 'guest-panic', 'reboot-loop', 'vcpu-error'],
  ...['boot-failed', 'external', 'unknown'],
)
const context = fields({
  id: isText,
  name: orNull(isName),
  labels: mapOf(isText),
  spec,
  createdAt: isTime,
  incarnation: isCount,
  open: isFlag,
  process: orNull(fields({ pid: isPlace, startTime: isText, bootId: isText, pidNamespace: isText })),
  vmmVersion: orNull(isText),
  startedAt: orNull(isTime),
  stop: orNull(
    fields({
      mode: oneOf('graceful', 'force', 'kill'),
      timeoutMs: isDelay,
      askedAt: isTime,
      cause,
      reason: absentOr(isText),
    }),
  ),
  next: oneOf(null, 'start', 'remove'),
  failure: orNull(failure),
  seen: fields({
    ready: isFlag,
    readyAt: orNull(isTime),
    poweredOff: isFlag,
    panicked: isFlag,
    commandExit: orNull(isCount),
    health: absentOr(oneOf(null, 'healthy', 'unhealthy')),
  }),
  ending: orNull(fields({ cause, at: isTime, message: absentOr(isText), logTail: absentOr(isText) })),
  restart: fields({ count: isCount, attempts: isCount, due: isFlag, delayMs: orNull(isDelay) }),
  reboots: fields({ count: isCount, recent: listOf(isTime) }),
  unknownReason: orNull(isText),
  eventOffset: isCount,
  snapshots: absentOr(
    fields({
      kept: listOf(
        fields({
          name: isName,
          at: isTime,
          version: isPlace,
          bytes: isCount,
          vmm: isText,
          forClone: absentOr(isFlag),
          leaving: absentOr(isFlag),
        }),
      ),
      saving: orNull(
        fields({
          name: isName,
          at: isTime,
          version: isPlace,
          holds: isFlag,
          forClone: absentOr(isFlag),
          disksMib: absentOr(isCount),
          written: isFlag,
        }),
      ),
      origin: orNull(either(fields({ box: isId, name: isName }), fields({ image: isName, template: isId }))),
      boots: absentOr(oneOf(true)),
      makes: absentOr(isName),
    }),
  ),
})
const effect = fields({ id: isText, type: isText, incarnation: isCount })
const timer = fields({ id: isText, dueAt: value => isDelay(value) && Number(value) <= lastTime })
const head = fields({
  box: isStream,
  version: isPlace,
  position: isPlace,
  createdPosition: isPlace,
  updatedAt: isTime,
  lastEvent: isText,
  bodyHash: isHash,
  executions: absentOr(isCount),
})

interface Nodes {
  readonly [name: string]: { readonly states?: Nodes } | undefined
}

/** A state that the machine has, down to one without states of its own. */
function isValueOf(nodes: Nodes | undefined, value: unknown): boolean {
  if (typeof value === 'string')
    return nodes !== undefined && Object.hasOwn(nodes, value) && !nodes[value]?.states
  if (!isObject(value)) return false
  const [only, ...more] = Object.entries(value)
  if (only === undefined || more.length > 0 || nodes === undefined) return false
  const [name, rest] = only
  return Object.hasOwn(nodes, name) && isValueOf(nodes[name]?.states, rest)
}

export function isBoxState(value: unknown): value is BoxState {
  return (
    isObject(value) &&
    isValueOf(boxMachine.config.states as Nodes, value.value) &&
    context(value.context) &&
    mapOf(effect)(value.effects) &&
    mapOf(timer)(value.timers)
  )
}

export function isHead(value: unknown): value is Head {
  return isObject(value) && head(value) && isBoxState(value.state) && value.state.context.id === value.box
}

const executionState = fields({
  value: oneOf('running', 'ended', 'lost'),
  context: fields({
    id: isId,
    box: isId,
    incarnation: isPlace,
    startedAt: isTime,
    outcome: orNull(
      fields({
        exitCode: orNull(isCount),
        signal: absentOr(isText),
        reason: absentOr(isText),
        at: isTime,
      }),
    ),
  }),
  effects: mapOf(effect),
  timers: mapOf(timer),
})

/** The head of a box, or that of an execution where its name says so. */
export function isStreamHead(value: unknown): value is StreamHead {
  if (!isObject(value) || !head(value)) return false
  const { box, execution } = partsOf(value.box as string)
  if (execution === undefined) return isHead(value)
  if (!executionState(value.state)) return false
  const { context } = value.state as { context: Fields }
  return context.box === box && context.id === execution
}

const event = fields({ type: isText, incarnation: isCount })
const timers = fields({ set: listOf(timer), cancelled: listOf(isText) })
const meta = fields({
  bootId: isText,
  epoch: isPlace,
  engine: isText,
  commandId: absentOr(isText),
  cause: absentOr(isPlace),
  actor: absentOr(isText),
})
const isIsoTime: Test = value => typeof value === 'string' && isTime(Date.parse(value))

/** The part of a record that is its stream's own. */
export const isBody: Test = fields({
  box: isStream,
  version: isPlace,
  prevBody: isHash,
  at: isIsoTime,
  event,
  from: isText,
  to: isText,
  effects: listOf(effect),
  timers,
  meta,
})
