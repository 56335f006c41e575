import type { EmbeddedBox } from '../embedded/box.ts'
import { check, shapes } from '../options.ts'
import { Bell } from './bell.ts'
import { type Served, until } from './calls.ts'
import { followed } from './followed.ts'
import { changes, states } from './infos.ts'

export type Lines = AsyncGenerator<unknown, void, undefined>
export type Stream = (served: Served, args: readonly unknown[], signal: AbortSignal) => Lines
export type BoxStream = (
  box: EmbeddedBox,
  served: Served,
  args: readonly unknown[],
  signal: AbortSignal,
) => Lines

/** Where a stream goes on after it was cut off; nothing: it begins. */
function resumeAt(args: readonly unknown[]): { readonly from?: number } {
  const [from] = args
  return typeof from === 'number' ? { from: check(shapes.events, { from }, 'from').from as number } : {}
}

/** Streams of the runtime, by name. */
export const streams: Readonly<Record<string, Stream>> = {
  async *events({ engine, runtime }, [o], signal) {
    yield* followed(engine, await runtime.streamOf(until(o, signal)), signal)
  },
  /** of a box, after a position */
  async *history({ runtime }, [box, after]) {
    for await (const record of runtime.history(box as never))
      if (typeof after !== 'number' || record.position > after) yield record
  },
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
    const given = check(shapes.events, until(o, signal), 'events')
    const { createdPosition } = (await headOf(engine, id)) ?? { createdPosition: 1 }
    const { box: _, labels: __, ...rest } = given
    yield* followed(engine, { from: createdPosition, ...(rest as object), box: id }, signal)
  },
  states: ({ id }, { engine }, args, signal) => states(engine, id, { ...resumeAt(args), signal }),
  /** in base64, after a number of bytes that were seen before */
  async *console(box, _, [o, seen], signal) {
    let skip = Number.isSafeInteger(seen) ? Math.max(0, Number(seen)) : 0
    for await (const bytes of box.console(until(o, signal))) {
      const fresh = bytes.subarray(Math.min(skip, bytes.length))
      skip -= bytes.length - fresh.length
      if (fresh.length > 0) yield Buffer.from(fresh).toString('base64')
    }
  },
}

async function headOf({ ledger }: Served['engine'], box: string) {
  const head = ledger.head(box) ?? (await ledger.removedHead(box))
  return head
}
