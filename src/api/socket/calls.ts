import type { Engine } from '../../engine/index.ts'
import { commandOf } from '../../machines/index.ts'
import type { Moment } from '../audit.ts'
import { auditShapes } from '../audit-shapes.ts'
import type { CommandOptions } from '../box.ts'
import type { EmbeddedBox } from '../embedded/box.ts'
import type { LookUp } from '../embedded/look-up.ts'
import type { EmbeddedRuntime } from '../embedded/runtime.ts'
import { assertAbsoluteImage } from '../images.ts'
import { assertAbsolute } from '../new-box.ts'
import { check, shapes } from '../options.ts'
import { subscriptionCalls } from './subscriptions-served.ts'
import { until } from './until.ts'
import type { BoxRef } from './wire.ts'

/** What the socket serves: the home's own runtime, which checks all that it is given. */
export interface Served {
  readonly engine: Engine
  readonly runtime: EmbeddedRuntime
  readonly lookUp: LookUp
}

/** A verb's value, and which box it was about, if it was about one. */
export interface Done {
  readonly value?: unknown
  readonly box?: string
}

type Arguments = readonly unknown[]
export type Call = (served: Served, args: Arguments, signal: AbortSignal) => Promise<Done>
export type BoxCall = (
  box: EmbeddedBox,
  served: Served,
  args: Arguments,
  signal: AbortSignal,
) => Promise<unknown>

function refOf({ engine }: Served, { id }: EmbeddedBox): BoxRef {
  const head = engine.ledger.head(id)
  return { id, ...(head === undefined ? {} : { head }) }
}

/** A command by a box's ID or name; what is wrong with that, the command itself tells. */
async function command(
  { lookUp }: Served,
  idOrName: unknown,
  c: unknown,
  work: () => Promise<void>,
): Promise<Done> {
  const commandId = (c as CommandOptions | null | undefined)?.commandId
  const box = await lookUp.target(idOrName as string, commandId).catch(() => undefined)
  await work()
  return box === undefined ? {} : { box }
}

/** A time has no JSON of its own. */
function momentIn(at: unknown): Moment {
  const { time, ...moment } = check(auditShapes.wireMoment, at, 'at')
  return (time === undefined ? moment : { time: new Date(time) }) as Moment
}

/** Verbs of the runtime, by name. */
export const calls: Readonly<Record<string, Call>> = {
  create: async (served, [options = {}, c], signal) => {
    assertAbsolute(options)
    const box = await served.runtime.create(options as never, until(c, signal))
    return { value: refOf(served, box), box: box.id }
  },
  getOrCreate: async (served, [options, c], signal) => {
    assertAbsolute(options)
    const { box, ...rest } = await served.runtime.getOrCreate(options as never, until(c, signal))
    return { value: { ...rest, box: refOf(served, box) }, box: box.id }
  },
  get: async (served, [box]) => {
    const found = await served.runtime.get(box as never)
    return found === undefined ? {} : { value: refOf(served, found) }
  },
  getInfo: async ({ runtime }, [box]) => ({ value: await runtime.getInfo(box as never) }),
  exists: async ({ runtime }, [box]) => ({ value: await runtime.exists(box as never) }),
  /** of a box whose history is asked for, so that it is looked up once */
  idOf: async ({ lookUp }, [box]) => ({ value: await lookUp.any(box as never) }),
  listInfo: async ({ runtime }, [filter]) => ({ value: await runtime.listInfo(filter as never) }),
  remove: (served, [box, o], signal) =>
    command(served, box, o, () => served.runtime.remove(box as never, until(o, signal))),
  rename: (served, [box, name, c], signal) =>
    command(served, box, c, () => served.runtime.rename(box as never, name as never, until(c, signal))),
  resolve: (served, [box, verdict, c], signal) =>
    command(served, box, c, () => served.runtime.resolve(box as never, verdict as never, until(c, signal))),
  adopt: async ({ runtime }) => ({ value: await runtime.adopt() }),
  stateAt: async ({ runtime }, [box, at]) => ({ value: await runtime.stateAt(box as never, momentIn(at)) }),
  diff: async ({ runtime }, [box, a, b]) => ({
    value: await runtime.diff(box as never, a as never, b as never),
  }),
  why: async ({ runtime }, [position]) => ({ value: await runtime.why(position as never) }),
  explain: async ({ runtime }, [box]) => ({ value: await runtime.explain(box as never) }),
  fork: async ({ runtime }, [box, at, events]) => ({
    value: await runtime.fork(box as never, at as never, events as never),
  }),
  metrics: async ({ runtime }) => ({ value: await runtime.metrics() }),
  verify: async ({ runtime }, [o]) => ({ value: await runtime.verify(o as never) }),
  archive: async ({ runtime }, [before]) => ({
    value: await runtime.archive({ before: new Date(String(before)) }),
  }),
  compact: async ({ runtime }) => ({ value: await runtime.compact() }),
  listImages: async ({ runtime }) => ({ value: await runtime.images.list() }),
  addImage: async ({ runtime }, [request, name, image], signal) => {
    assertAbsoluteImage(image)
    await runtime.images.addFor(String(request), name as never, image as never, { signal })
    return {}
  },
  ...subscriptionCalls,
  templateImage: async ({ runtime }, [name, size], signal) => ({
    value: await runtime.images.template(name as never, { ...(size as object), signal }),
  }),
  removeTemplates: async ({ runtime }, [name]) => ({
    value: await runtime.images.removeTemplates(name as never),
  }),
  removeImage: async ({ runtime }, [name]) => ({ value: await runtime.images.remove(name as never) }),
}

/** Verbs of a box, by name. */
export const boxCalls: Readonly<Record<string, BoxCall>> = {
  info: box => box.info(),
  metrics: box => box.metrics(),
  start: (box, _, [c], signal) => box.start(until(c, signal)),
  stop: (box, _, [o], signal) => box.stop(until(o, signal)),
  restart: (box, _, [c], signal) => box.restart(until(c, signal)),
  pause: (box, _, [c], signal) => box.pause(until(c, signal)),
  resume: (box, _, [c], signal) => box.resume(until(c, signal)),
  remove: (box, _, [o], signal) => box.remove(until(o, signal)),
  clone: async (box, served, [o], signal) => refOf(served, await box.clone(until(o, signal))),
  snapshotCreate: (box, _, [name, c], signal) =>
    box.snapshots.create((name ?? undefined) as never, until(c, signal)),
  snapshotList: box => box.snapshots.list(),
  snapshotRestore: (box, _, [name, c], signal) => box.snapshots.restore(name as never, until(c, signal)),
  snapshotRemove: (box, _, [name, c], signal) => box.snapshots.remove(name as never, until(c, signal)),
  /** what is sent to the box's actor */
  send: async (box, { engine }, [event, commandId]) => {
    const decided = commandOf(event)
    const meta = check(shapes.command, commandId === undefined ? {} : { commandId }, 'send')
    await engine.submit(box.id, () => decided, meta as CommandOptions)
  },
}
