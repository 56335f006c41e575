import { readdir } from 'node:fs/promises'
import { BoxError } from '../machines/index.ts'
import { DirWatch } from './files/dir-watch.ts'
import { keptBytes, lastCut } from './files/growing.ts'
import { lastBytes } from './files/last-lines.ts'
import { boxDir, runFiles, runNumber } from './files/paths.ts'
import { Tail } from './files/tail.ts'

export interface ReadConsoleOptions {
  readonly home: string
  readonly box: string
  /** default: the last that has a run directory */
  readonly incarnation?: number | undefined
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

/**
 * What a guest printed on its serial port. The file is begun anew when the guest reboots; followed, it goes on with the
 * new one. Rejects with `ENGINE_FAILED` where it cannot be read.
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
    if (BoxError.is(cause)) throw cause
    throw new BoxError('ENGINE_FAILED', `The console cannot be read: ${(cause as Error).message}`, { cause })
  }
}

async function* read(options: ReadConsolePiecesOptions): AsyncGenerator<ConsolePiece, void, undefined> {
  const { home, box, from, follow = false, holds = true, signal } = options
  const incarnation = options.incarnation ?? (await lastIncarnation(home, box))
  if (incarnation === undefined) return
  const { dir, serial } = runFiles(home, box, incarnation)
  const cut = await lastCut(serial).catch(() => undefined) // there is no such directory yet, or any more
  const tail = new Tail(serial, { from: Math.max(from ?? 0, cut?.offset ?? 0) })
  let wake = () => {}
  let changed = false
  const notice = () => {
    changed = true
    wake()
  }
  const watch = follow ? new DirWatch(dir, notice, { persistent: holds }) : undefined
  signal?.addEventListener('abort', notice, { once: true })
  try {
    if (cut && (from === undefined || from < cut.offset)) {
      const kept = await lastBytes(cut.path, keptBytes)
      const known = Math.max(0, kept.length - (cut.offset - (from ?? 0)))
      yield { bytes: kept.subarray(from === undefined ? 0 : known), end: cut.offset, restarted: false }
    }
    while (true) {
      changed = false
      for await (const { bytes, at, restarted } of tail.read())
        yield { bytes, end: at + bytes.length, restarted }
      if (!follow || signal?.aborted) return
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

async function lastIncarnation(home: string, box: string): Promise<number | undefined> {
  try {
    const highest = Math.max(0, ...(await readdir(boxDir(home, box))).map(name => runNumber(name) ?? 0))
    return highest === 0 ? undefined : highest
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
