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

/**
 * What a guest printed on its serial port. The file is begun anew when the guest reboots; followed, it goes on with the
 * new one. Rejects with `ENGINE_FAILED` where it cannot be read.
 */
export async function* readConsole(options: ReadConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* read(options)
  } catch (cause) {
    if (BoxError.is(cause)) throw cause
    throw new BoxError('ENGINE_FAILED', `The console cannot be read: ${(cause as Error).message}`, { cause })
  }
}

async function* read(options: ReadConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { home, box, follow = false, signal } = options
  const incarnation = options.incarnation ?? (await lastIncarnation(home, box))
  if (incarnation === undefined) return
  const { dir, serial } = runFiles(home, box, incarnation)
  const cut = await lastCut(serial).catch(() => undefined) // there is no such directory yet, or any more
  const tail = new Tail(serial, { from: cut?.offset ?? 0 })
  let wake = () => {}
  let changed = false
  const notice = () => {
    changed = true
    wake()
  }
  const watch = follow ? new DirWatch(dir, notice, { persistent: true }) : undefined
  signal?.addEventListener('abort', notice, { once: true })
  try {
    if (cut) yield await lastBytes(cut.path, keptBytes)
    while (true) {
      changed = false
      for await (const { bytes } of tail.read()) yield bytes
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
