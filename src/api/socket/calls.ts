import type { Engine } from '../../engine/index.ts'
import { commandOf } from '../../machines/index.ts'
import type { CommandOptions } from '../box.ts'
import type { EmbeddedBox } from '../embedded/box.ts'
import type { EmbeddedRuntime } from '../embedded/runtime.ts'
import { check, shapes } from '../options.ts'
import type { BoxRef } from './wire.ts'

/** What the socket serves: the home's own runtime, which checks all that it is given. */
export interface Served {
  readonly engine: Engine
  readonly runtime: EmbeddedRuntime
}

type Arguments = readonly unknown[]
export type Call = (served: Served, args: Arguments, signal: AbortSignal) => Promise<unknown>
export type BoxCall = (
  box: EmbeddedBox,
  served: Served,
  args: Arguments,
  signal: AbortSignal,
) => Promise<unknown>

/** The caller's options, whose wait ends when the caller goes; what is no object is left for the runtime to refuse. */
export function until(options: unknown, signal: AbortSignal): never {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  return (isObject ? { ...options, signal } : options === undefined ? { signal } : options) as never
}

function refOf({ engine }: Served, box: EmbeddedBox | undefined): BoxRef | undefined {
  if (box === undefined) return undefined
  const head = engine.ledger.head(box.id)
  return { id: box.id, ...(head === undefined ? {} : { head }) }
}

/** Verbs of the runtime, by name. */
export const calls: Readonly<Record<string, Call>> = {
  create: async (served, [options, c], signal) =>
    refOf(served, await served.runtime.create(options as never, until(c, signal))),
  getOrCreate: async (served, [options, c], signal) => {
    const { box, ...rest } = await served.runtime.getOrCreate(options as never, until(c, signal))
    return { ...rest, box: refOf(served, box) }
  },
  get: async (served, [box]) => refOf(served, await served.runtime.get(box as never)),
  getInfo: ({ runtime }, [box]) => runtime.getInfo(box as never),
  exists: ({ runtime }, [box]) => runtime.exists(box as never),
  listInfo: ({ runtime }, [filter]) => runtime.listInfo(filter as never),
  remove: ({ runtime }, [box, o], signal) => runtime.remove(box as never, until(o, signal)),
  rename: async (served, [box, name, c], signal) => {
    // For the name that its handle then has; what is wrong with `box`, the renaming tells.
    const found = await served.runtime.get(box as never).catch(() => undefined)
    await served.runtime.rename(box as never, name as never, until(c, signal))
    return refOf(served, found)
  },
  resolve: ({ runtime }, [box, verdict, c], signal) =>
    runtime.resolve(box as never, verdict as never, until(c, signal)),
  adopt: ({ runtime }) => runtime.adopt(),
  verify: ({ runtime }, [o]) => runtime.verify(o as never),
  archive: ({ runtime }, [before]) => runtime.archive({ before: new Date(String(before)) }),
  compact: ({ runtime }) => runtime.compact(),
}

/** Verbs of a box, by name. */
export const boxCalls: Readonly<Record<string, BoxCall>> = {
  info: box => box.info(),
  start: async (box, _, [c], signal) => box.start(until(c, signal)),
  stop: async (box, _, [o], signal) => box.stop(until(o, signal)),
  restart: async (box, _, [c], signal) => box.restart(until(c, signal)),
  pause: async (box, _, [c], signal) => box.pause(until(c, signal)),
  resume: async (box, _, [c], signal) => box.resume(until(c, signal)),
  // By way of the runtime, which knows a removal that was asked for before and is done.
  remove: (box, { runtime }, [o], signal) => runtime.remove(box.id, until(o, signal)),
  wait: (box, _, __, signal) => box.wait({ signal }),
  /** what is sent to the box's actor */
  send: async (box, { engine }, [command, commandId]) => {
    const event = commandOf(command)
    const meta = check(shapes.command, commandId === undefined ? {} : { commandId }, 'send')
    await engine.submit(box.id, () => event, meta as CommandOptions)
  },
}

/** Calls that only wait: they are not waited for when the owner closes. */
export const waits: ReadonlySet<string> = new Set(['wait'])
