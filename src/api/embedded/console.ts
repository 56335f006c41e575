import { assertWanted, type Engine } from '../../engine/index.ts'
import { type Head, publicStateOf } from '../../machines/index.ts'
import { type ConsoleOf, type ConsolePiece, readConsolePieces } from '../../vmm/index.ts'

export interface FollowedConsole {
  readonly incarnation: number
  readonly follow: boolean
  readonly signal: AbortSignal | undefined
  readonly of?: ConsoleOf | undefined
  /** what ends before it in the file has been read, in `bytes` */
  readonly from?: number | undefined
  /** false: who waits for more keeps no process alive */
  readonly holds: boolean
}

/** What a box's guest has printed, and what it prints until its incarnation is over or the engine closes. */
export async function* consoleOf(
  engine: Engine,
  head: Head,
  { incarnation, follow, signal, of, from, holds }: FollowedConsole,
): AsyncGenerator<ConsolePiece, void, undefined> {
  const over = new AbortController()
  const end = () => over.abort()
  const look = ({ box, state: { context, value } }: Head) => {
    if (box !== head.box) return
    const isOver = context.incarnation === incarnation && !context.open
    if (isOver || context.incarnation > incarnation || publicStateOf(value) === 'removed') end()
  }
  const undo = [engine.onChange(look), engine.onClose(end), () => signal?.removeEventListener('abort', end)]
  look(engine.ledger.head(head.box) ?? head)
  signal?.addEventListener('abort', end)
  try {
    assertWanted(signal)
    const { home } = engine
    const reading = { home, box: head.box, incarnation, follow, of, from, holds, signal: over.signal }
    for await (const piece of readConsolePieces(reading)) {
      yield piece
      assertWanted(signal)
    }
    assertWanted(signal)
  } finally {
    for (const step of undo) step()
  }
}
