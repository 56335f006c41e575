import {
  BoxError,
  type BoxSpec,
  type Head,
  idPattern,
  isErrorCode,
  quoted,
  readyOf,
  type SnapshotPlace,
  type StopMode,
  snapshotsOf,
} from '../machines/index.ts'
import type { Secrets } from '../vmm/index.ts'
import {
  type Asked,
  ask,
  assertKnown,
  type CommandOptions,
  failureOf,
  isDown,
  isGone,
  stateOf,
  stopped,
} from './ask.ts'
import { attachedOf } from './attached.ts'
import type { Engine } from './engine.ts'
import { assertSame, repeatedOf } from './repeated.ts'
import { recordWithSecrets } from './secrets.ts'

export type { CommandOptions } from './ask.ts'
export { pause, resume } from './pause.ts'

export interface NewBox {
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: BoxSpec
  readonly secrets?: Secrets
  /** what it begins with, instead of a boot */
  readonly origin?: SnapshotPlace
  /** name of the image that it is there to make a template of */
  readonly makes?: string
}

const modes: readonly StopMode[] = ['graceful', 'force', 'kill']

export async function create(engine: Engine, box: NewBox, c: CommandOptions): Promise<Head> {
  const repeated = await repeatedOf(engine, c.commandId)
  if (repeated !== undefined) {
    const { record } = repeated
    assertSame(record, 'box.created')
    const head = repeated.head ?? (await engine.ledger.removedHead(record.box))
    if (head !== undefined) return head
  }
  const id = engine.world.boxId()
  if (typeof id !== 'string' || !idPattern.test(id))
    throw new BoxError('INVALID_ARGUMENT', `ids gave ${quoted(id)}, which is no ID of a box`, {
      details: { field: 'ids' },
    })
  const { name = null, labels, spec, secrets, origin, makes } = box
  const purpose = { ...(origin === undefined ? {} : { origin }), ...(makes === undefined ? {} : { makes }) }
  const record = () =>
    engine.submit(id, () => ({ type: 'box.created', id, name, labels, spec, ...purpose }), c) as Promise<Head>
  return secrets === undefined
    ? record()
    : recordWithSecrets(engine.home, id, secrets, engine.boundary, record)
}

/** Resolves when the box is ready, by its own rule; a box that is up already is done. */
export async function start(engine: Engine, box: string, c: CommandOptions): Promise<void> {
  let isUp = false
  const asked = await ask(
    engine,
    box,
    'start.requested',
    head => {
      isUp = stateOf(head) === 'running' || stateOf(head) === 'paused'
      return isUp || stateOf(head) === 'starting' ? undefined : { type: 'start.requested' }
    },
    c,
  )
  if (asked.done || !isUp) await followStart(engine, asked, c.signal)
}

/** Resolves when the box is ready that a start was asked of. */
export async function followStart(
  engine: Engine,
  { head, done }: Asked,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (done) assertStarted(head)
  else await untilReady(engine, head, signal)
}

/** Of a start that was over before it was asked about again, as far as its box still tells. */
function assertStarted(head: Head): void {
  const { ending, seen, spec, startedAt } = head.state.context
  if (ending?.cause === 'boot-failed') throw endedStart(head)
  const wasReady = readyOf(spec) === 'vmm' ? startedAt !== null : seen.readyAt !== null
  if (ending?.cause === 'requested' && !wasReady) throw stopped(head)
}

/** Resolves when the box is down. A stronger stop pre-empts a weaker one, an equal or weaker one joins it. */
export async function stop(
  engine: Engine,
  box: string,
  o: {
    readonly mode?: StopMode
    readonly timeoutMs?: number
    /** why, where that is not plain */
    readonly reason?: string
  } & CommandOptions,
): Promise<void> {
  const { mode = 'graceful', timeoutMs, reason } = o
  const { head, done } = await ask(
    engine,
    box,
    'stop.requested',
    head => {
      if (isDown(head) || stateOf(head) === 'removing' || isStopping(head, mode)) return undefined
      return {
        type: 'stop.requested',
        mode,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(reason === undefined ? {} : { reason }),
      }
    },
    o,
  )
  if (done) return
  const { incarnation } = head.state.context
  await engine.waiting.for(
    head,
    now => {
      assertKnown(now, 'stopped')
      return isDown(now) || isGone(now) || now.state.context.incarnation > incarnation || undefined
    },
    o.signal,
  )
}

/** Whether a stop as strong is under way that somebody asked for: one that ends by itself may be started again. */
function isStopping(head: Head, mode: StopMode): boolean {
  const { stop, next } = head.state.context
  if (stateOf(head) !== 'stopping' || next === 'start' || stop?.cause !== 'requested') return false
  return modes.indexOf(mode) <= modes.indexOf(stop.mode)
}

/** Stops the box if it is up, starts it, and resolves when it is ready. */
export async function restart(engine: Engine, box: string, c: CommandOptions): Promise<void> {
  let wanted = 0
  const { head, record } = await ask(
    engine,
    box,
    'restart.requested',
    head => {
      wanted = head.state.context.incarnation + 1
      return { type: 'restart.requested' }
    },
    c,
  )
  if (record !== undefined) wanted = record.event.incarnation + (record.to === 'stopping' ? 1 : 0)
  const next = await engine.waiting.for(
    head,
    now => {
      if (now.state.context.incarnation >= wanted) return now
      assertKnown(now, 'started again')
      if (isDown(now) || isGone(now)) throw stopped(now)
      return undefined
    },
    c.signal,
  )
  await untilReady(engine, next, c.signal)
}

/** Resolves when nothing of the box is left but its history. */
export async function remove(
  engine: Engine,
  box: string,
  o: { readonly force?: boolean } & CommandOptions,
): Promise<void> {
  const { head } = await ask(
    engine,
    box,
    'remove.requested',
    head =>
      stateOf(head) === 'removing' ? undefined : { type: 'remove.requested', force: o.force ?? false },
    o,
  )
  await engine.waiting.for(
    head,
    (now, record) => {
      if (isGone(now)) return true
      if (record?.event.type === 'remove.failed') throw failureOf(record.event)
      assertKnown(now, 'removed')
      return undefined
    },
    o.signal,
  )
}

export async function rename(
  engine: Engine,
  box: string,
  name: string | null,
  c: CommandOptions,
): Promise<void> {
  await ask(
    engine,
    box,
    'box.renamed',
    head => (head.state.context.name === name ? undefined : { type: 'box.renamed', name }),
    c,
  )
}

export async function resolve(engine: Engine, box: string, c: CommandOptions): Promise<void> {
  await ask(engine, box, 'box.resolved', () => ({ type: 'box.resolved', verdict: 'dead' }), c)
}

/** Stops in good order what is not to outlive the owner; closing ends by force what is left. */
export async function stopAttached(engine: Engine, timeoutMs: number | undefined): Promise<void> {
  const reason = 'The owner shut down, and the box was not to outlive it'
  const o = { reason, actor: 'engine', ...(timeoutMs === undefined ? {} : { timeoutMs }) }
  await Promise.allSettled(attachedOf(engine.ledger.heads()).map(({ box }) => stop(engine, box, o)))
}

/** Resolves when the box is down with no restart left, or gone. */
export function untilDown(engine: Engine, head: Head, signal?: AbortSignal): Promise<Head> {
  return engine.waiting.for(head, now => (isDown(now) || isGone(now) ? now : undefined), signal)
}

/** Follows one start to its end; how it ended is judged by the box's own rule of being ready. */
async function untilReady(engine: Engine, head: Head, signal: AbortSignal | undefined): Promise<void> {
  let { incarnation } = head.state.context
  await engine.waiting.for(
    head,
    now => {
      const { context } = now.state
      // Where a template did not do, the same start goes on with a boot.
      if (context.incarnation === incarnation + 1 && snapshotsOf(context).boots) incarnation += 1
      if (context.incarnation !== incarnation) return true
      assertKnown(now, 'started')
      const state = stateOf(now)
      if (state === 'running' || state === 'paused') {
        if (context.seen.ready || readyOf(context.spec) === 'vmm') return true
        throw new BoxError('GUEST_UNREACHABLE', 'The VM runs, but its guest did not say that it is ready', {
          details: { box: head.box },
        })
      }
      const { ending } = context
      if (context.stop?.cause === 'guest-poweroff' || ending?.cause === 'guest-poweroff') return true
      if (context.stop?.cause === 'requested' || ending?.cause === 'requested') throw stopped(now)
      if (ending !== null) throw endedStart(now)
      if (isDown(now) || isGone(now)) throw stopped(now)
      return undefined
    },
    signal,
  )
}

function endedStart(head: Head): BoxError {
  const { ending } = head.state.context
  const code = ending?.code !== undefined && isErrorCode(ending.code) ? ending.code : 'VMM_GONE'
  return new BoxError(code, ending?.message ?? `The start ended: ${ending?.cause}`, {
    details: { box: head.box, ...ending?.details, ...(ending?.logTail ? { logTail: ending.logTail } : {}) },
  })
}
