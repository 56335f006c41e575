import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Boot } from './boot.ts'
import type { EngineMessage } from './engine.ts'
import { type Process, processOf } from './proc.ts'
import type { Report } from './report.ts'

const program = fileURLToPath(new URL('./engine.js', import.meta.url))

export interface ChildEngine {
  readonly process: Process
  readonly box: { readonly id: string; readonly pid: number; readonly boot: Boot }
  /** SIGKILL; resolves when the process is gone */
  kill(): Promise<void>
}

/** Starts the engine in a process of its own; resolves when the guest is up. */
export async function startEngine(home: string, report: Report, signal: AbortSignal): Promise<ChildEngine> {
  const child = fork(program, [home], { signal, killSignal: 'SIGKILL' })
  const box = await new Promise<ChildEngine['box']>((resolve, reject) => {
    child.on('message', (message: EngineMessage) => {
      if (message.type === 'progress') report.progress(message.message)
      else if (message.type === 'up') resolve(message)
      else reject(Object.assign(new Error(message.message), { details: message.details }))
    })
    child.on('error', reject)
    child.on('exit', (code, by) => reject(new Error(`The engine ended too early (${by ?? code})`)))
  })
  const found = processOf(child.pid ?? 0)
  if (found === undefined) throw new Error('The engine is not there')
  return {
    process: found,
    box,
    async kill() {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}
