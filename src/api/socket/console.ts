import { closedError, type Engine } from '../../engine/index.ts'
import type { Head } from '../../machines/index.ts'
import { consoleTail } from '../../vmm/index.ts'
import type { ConsoleOptions } from '../box.ts'
import { consoleOf } from '../embedded/console.ts'
import { Bell } from './bell.ts'
import { headOf } from './head.ts'
import type { ConsoleLine, ConsoleMark } from './wire.ts'

/**
 * A console for a client, of one incarnation, whose owner may end at any time: each piece says where it ends, so that
 * the next owner goes on behind it. The first line only says where it begins.
 */
export async function* consoleLines(
  engine: Engine,
  id: string,
  { follow = false, incarnation, of, tail, signal }: ConsoleOptions & { readonly signal: AbortSignal },
  mark: ConsoleMark | undefined,
): AsyncGenerator<ConsoleLine, void, undefined> {
  // What the guest did while nobody owned the home has been told then.
  if (mark !== undefined) await recovered(engine, id, signal)
  const head = await headOf(engine, id)
  const wanted = mark?.incarnation ?? incarnation ?? Math.max(1, head.state.context.incarnation)
  const began = await rebootsThrough(engine, head, wanted)
  const goesOn = mark !== undefined && mark.reboots >= began
  let reboots = goesOn ? mark.reboots : began
  const place = { home: engine.home, box: id, incarnation: wanted }
  const begin = mark === undefined && tail !== undefined ? await consoleTail(place, of, tail) : 0
  let at = goesOn ? mark.at : begin
  yield { incarnation: wanted, reboots, at, bytes: '' }
  const reading = { incarnation: wanted, follow, signal, of, holds: false, from: at }
  for await (const piece of consoleOf(engine, head, reading)) {
    // A file begun anew is seen before the reboot is told, or after.
    reboots = Math.max(reboots + (piece.restarted ? 1 : 0), rebootsNow(engine, id, wanted))
    at = piece.end
    yield { incarnation: wanted, reboots, at, bytes: Buffer.from(piece.bytes).toString('base64') }
  }
  if (follow && engine.isClosed) throw closedError()
}

async function recovered(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  using bell = new Bell(engine, signal, id)
  for (;;) {
    const head = engine.ledger.head(id)
    if (head === undefined || !engine.info(head).recovering || signal.aborted) return
    if (engine.isClosed) throw closedError()
    await bell.heard()
  }
}

/** How often the guest had rebooted, the VMMs before this one included, when the incarnation was over, or by now. */
async function rebootsThrough(engine: Engine, head: Head, incarnation: number): Promise<number> {
  const { context } = head.state
  if (context.incarnation <= incarnation) return context.reboots.count
  let count = 0
  for await (const { event } of engine.ledger.history(head.box)) {
    if (event.incarnation > incarnation) break
    if (event.type === 'guest.rebooted') count += event.count
  }
  return count
}

function rebootsNow(engine: Engine, id: string, incarnation: number): number {
  const context = engine.ledger.head(id)?.state.context
  return context?.incarnation === incarnation ? context.reboots.count : 0
}
