import { readdir } from 'node:fs/promises'
import { DirWatch } from './files/dir-watch.ts'
import { lastCut } from './files/growing.ts'
import { lastBytes } from './files/last-lines.ts'
import { boxDir, runFiles } from './files/paths.ts'
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
 * new one.
 */
export async function* readConsole(options: ReadConsoleOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { home, box, follow = false, signal } = options
  const incarnation = options.incarnation ?? (await lastIncarnation(home, box))
  if (incarnation === undefined) return
  const { dir, serial } = runFiles(home, box, incarnation)
  const cut = await lastCut(serial).catch(() => undefined) // there is no such directory yet, or any more
  const tail = new Tail(serial, cut?.offset)
  let wake = () => {}
  let changed = false
  const notice = () => {
    changed = true
    wake()
  }
  const watch = follow ? new DirWatch(dir, notice, { persistent: true }) : undefined
  signal?.addEventListener('abort', notice, { once: true })
  try {
    if (cut) yield await lastBytes(cut.path, Number.MAX_SAFE_INTEGER)
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
    const numbers = (await readdir(boxDir(home, box))).filter(name => /^[1-9]\d*$/.test(name)).map(Number)
    return numbers.length === 0 ? undefined : Math.max(...numbers)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
