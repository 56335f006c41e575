import { readdir } from 'node:fs/promises'
import { BoxError } from '../machines/index.ts'
import { DirWatch } from './files/dir-watch.ts'
import { keptBytes, lastCut } from './files/growing.ts'
import { lastBytes } from './files/last-lines.ts'
import { boxDir, type RunFiles, runFiles, runNumber } from './files/paths.ts'
import { Tail } from './files/tail.ts'
import { tailStart } from './files/tail-start.ts'

/** `guest`: what it prints on its serial port; `command`: what the main command prints, byte by byte */
export type ConsoleOf = 'guest' | 'command'

export interface ReadConsoleOptions {
  readonly home: string
  readonly box: string
  /** default: the last that has a run directory */
  readonly incarnation?: number | undefined
  /** default `guest` */
  readonly of?: ConsoleOf | undefined
  /** go on with what comes, until `signal` fires */
  readonly follow?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ReadConsolePiecesOptions extends ReadConsoleOptions {
  /** what ends before it in the file has been read, in `bytes` */
  readonly from?: number | undefined
  /** false: who waits for more keeps no process alive; default true */
  readonly holds?: boolean | undefined
}

export interface ConsolePiece {
  readonly bytes: Uint8Array
  /** where they end in the file, in `bytes` */
  readonly end: number
  /** first of a file begun anew */
  readonly restarted: boolean
}

/** Stands where some of the output was cut off, in a line of its own. */
const gap = Buffer.from('\r\n[boxledger: some of the output was not kept]\r\n')

/**
 * What a guest printed on its serial port. The file is begun anew when the guest reboots; followed, it goes on with the
 * new one. Where output was cut off, a line says so. Rejects with `ENGINE_FAILED` where it cannot be read.
 */
export async function* readConsole(options: ReadConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { bytes } of readConsolePieces(options)) yield bytes
}

/** The same, with the places in the file, so that it can be gone on with. */
export async function* readConsolePieces(
  options: ReadConsolePiecesOptions,
): AsyncGenerator<ConsolePiece, void, undefined> {
  try {
    yield* read(options)
  } catch (cause) {
    throw unreadable(cause)
  }
}

async function* read(options: ReadConsolePiecesOptions): AsyncGenerator<ConsolePiece, void, undefined> {
  const { home, box, from = 0, follow = false, holds = true, signal } = options
  const incarnation = options.incarnation ?? (await lastIncarnation(home, box))
  if (incarnation === undefined) return
  const files = runFiles(home, box, incarnation)
  const path = pathOf(files, options.of)
  const tail = new Tail(path, { from })
  let wake = () => {}
  let changed = false
  const notice = () => {
    changed = true
    wake()
  }
  const watch = follow ? new DirWatch(files.dir, notice, { persistent: holds }) : undefined
  signal?.addEventListener('abort', notice, { once: true })
  try {
    while (true) {
      changed = false
      const isOver = signal?.aborted === true
      for await (const { bytes, at, missed, restarted } of tail.read()) {
        if (missed > 0) yield* keptOf(path, at - missed, at)
        if (bytes.length > 0) yield { bytes, end: at + bytes.length, restarted }
      }
      // What came before the signal is read also where reading took longer.
      if (!follow || isOver) return
      if (changed) continue
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  } finally {
    signal?.removeEventListener('abort', notice)
    watch?.close()
  }
}

/** Where the last lines begin of what was printed so far, to read on from. Rejects with `ENGINE_FAILED`. */
export async function consoleTail(
  { home, box, incarnation }: { readonly home: string; readonly box: string; readonly incarnation: number },
  of: ConsoleOf | undefined,
  lines: number,
): Promise<number> {
  try {
    return await tailStart(pathOf(runFiles(home, box, incarnation), of), lines)
  } catch (cause) {
    throw unreadable(cause)
  }
}

const pathOf = ({ serial, command }: RunFiles, of: ConsoleOf = 'guest') => (of === 'guest' ? serial : command)

function unreadable(cause: unknown): BoxError {
  if (BoxError.is(cause)) return cause
  return new BoxError('ENGINE_FAILED', `The console cannot be read: ${(cause as Error).message}`, { cause })
}

/** What was kept of the output between two places of its file, which was cut in between. */
async function* keptOf(
  path: string,
  from: number,
  to: number,
): AsyncGenerator<ConsolePiece, void, undefined> {
  const cut = lastCut(path)
  const kept = cut === undefined ? Buffer.alloc(0) : await lastBytes(cut.path, keptBytes)
  const begin = (cut?.offset ?? 0) - kept.length
  const wanted = kept.subarray(Math.max(0, from - begin), Math.max(0, to - begin))
  const piece = (bytes: Buffer, end: number) => ({ bytes, end, restarted: false })
  if (wanted.length === 0) {
    yield piece(gap, to)
    return
  }
  if (begin > from) yield piece(gap, begin)
  const end = Math.min(begin + kept.length, to)
  yield piece(wanted, end)
  if (end < to) yield piece(gap, to)
}

async function lastIncarnation(home: string, box: string): Promise<number | undefined> {
  try {
    const highest = Math.max(0, ...(await readdir(boxDir(home, box))).map(name => runNumber(name) ?? 0))
    return highest === 0 ? undefined : highest
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
