import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./owner.js', import.meta.url))

export interface Owner extends AsyncDisposable {
  readonly pid: number
  /** lines that it has told, `open` left out */
  readonly lines: readonly string[]
  /** resolves when so many lines have been told */
  told(count: number): Promise<void>
  /** SIGKILL, and until it is gone */
  kill(): Promise<void>
}

/** Another process that owns the home, as soon as this resolves. */
export async function startOwner(home: string, mode: 'hold' | 'append'): Promise<Owner> {
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [program, home, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let isOpen = false
  createInterface({ input: child.stdout }).on('line', line => {
    if (line === 'open') isOpen = true
    else lines.push(line)
    for (const look of waiting) look()
  })
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      void ended.then(() => reject(new Error('The owner ended by itself')))
      look()
    })
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  await until(() => isOpen)
  return {
    pid: child.pid ?? 0,
    lines,
    told: count => until(() => lines.length >= count),
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
