import type { EventsOptions } from '../box.ts'
import type { EmbeddedBox } from '../embedded/box.ts'
import { progressOf } from '../embedded/copy.ts'
import { check, shapes } from '../options.ts'
import { Bell } from './bell.ts'
import type { Served } from './calls.ts'
import { consoleLines } from './console.ts'
import { followed } from './followed.ts'
import { headOf } from './head.ts'
import { changes, states } from './infos.ts'
import { subscriptionLines } from './subscriptions-served.ts'
import { servedExport } from './transfer-server.ts'
import { until } from './until.ts'

export type Lines = AsyncGenerator<unknown, void, undefined>
export type Stream = (served: Served, args: readonly unknown[], signal: AbortSignal) => Lines
export type BoxStream = (
  box: EmbeddedBox,
  served: Served,
  args: readonly unknown[],
  signal: AbortSignal,
) => Lines

/** Where a stream goes on after it was cut off; nothing: it begins. */
function resumeAt([from]: readonly unknown[]): { readonly from?: number } {
  return typeof from === 'number' ? { from: check(shapes.events, { from }, 'from').from as number } : {}
}

/** Streams of the runtime, by name. */
export const streams: Readonly<Record<string, Stream>> = {
  async *events({ engine, runtime }, [o], signal) {
    yield* followed(engine, await runtime.streamOf(until(o, signal)))
  },
  subscription: subscriptionLines,
  /** pages of lines; a mark says where one goes on that was cut off */
  export: (served, [o, mark]) => servedExport(served, o, mark),
  changes: ({ engine }, args, signal) => changes(engine, { ...resumeAt(args), signal }),
  /** all boxes whenever something has changed: a reader who is slow gets the latest only */
  async *boxes({ engine, runtime }, _, signal) {
    using bell = new Bell(engine, signal)
    while (!signal.aborted) {
      yield await runtime.listInfo()
      await bell.heard()
    }
  },
}

/** Streams of a box, by name. */
export const boxStreams: Readonly<Record<string, BoxStream>> = {
  async *events({ id }, { engine }, [o], signal) {
    const { box: _, ...given } = check(shapes.events, until(o, signal), 'events') as EventsOptions
    const { from = (await headOf(engine, id)).createdPosition } = given
    yield* followed(engine, { ...given, from, box: id })
  },
  /** all records, or those from a position on, in the order of versions */
  async *history({ id }, { engine }, [o]) {
    const { from = 1 } = check(shapes.events, o, 'history')
    for await (const record of engine.ledger.history(id)) if (record.position >= from) yield record
  },
  states: ({ id }, { engine }, args, signal) => states(engine, id, { ...resumeAt(args), signal }),
  copyIn: (box, _, [from, to], signal) => {
    check(shapes.absolutePath, from, 'from')
    return progressOf(onProgress => box.copyIn(from as string, to as string, { signal, onProgress }))
  },
  copyOut: (box, _, [from, to], signal) => {
    check(shapes.absolutePath, to, 'to')
    return progressOf(onProgress => box.copyOut(from as string, to as string, { signal, onProgress }))
  },
  async *console({ id }, { engine }, [o, mark], signal) {
    const given = check(shapes.console, until(o, signal), 'console')
    const goesOn = mark === null || mark === undefined ? undefined : check(shapes.consoleMark, mark, 'mark')
    yield* consoleLines(engine, id, { ...(given as object), signal }, goesOn)
  },
}
