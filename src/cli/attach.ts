import { setTimeout as delay } from 'node:timers/promises'
import { feed, terminalOf } from '../api/terminal.ts'
import type { ExecOptions, Execution } from '../index.ts'
import { Interruption } from './interrupt.ts'
import type { Session } from './session.ts'

/** How long a command that was told of an interruption may take to end before it is killed, in `ms`. */
const interruptedMs = 3_000

export interface AttachOptions {
  /** it reads what this command reads; else nothing */
  readonly interactive: boolean
  /** it has a terminal, and so have we, if we have one */
  readonly tty: boolean
}

/** Runs a command in a box as if it ran here: its streams are ours, and so is its exit code. */
export async function attach(
  { output, json, signal }: Pick<Session, 'output' | 'json' | 'signal'>,
  { interactive, tty }: AttachOptions,
  begin: (options: ExecOptions) => Execution,
): Promise<number> {
  const kill = new AbortController()
  const execution = begin({ signal: kill.signal, ...(tty ? terminalOf(process.stdout, process.env) : {}) })
  const interrupt = () => {
    const { reason } = signal
    execution.kill(reason instanceof Interruption && /^SIG/.test(reason.message) ? reason.message : 'SIGTERM')
    void delay(interruptedMs, undefined, { ref: false }).then(() => kill.abort())
  }
  signal.addEventListener('abort', interrupt, { once: true })
  if (signal.aborted) interrupt()
  using _input = interactive ? feedOurs(execution, tty) : leaveUnfed(execution)
  try {
    if (json) {
      const { exitCode, ...rest } = await execution
      await output.value({ id: execution.id, exitCode, ...rest })
      return exitCode
    }
    const [{ exitCode }] = await Promise.all([
      execution.wait(),
      pass(execution.stdout, bytes => output.write(bytes)),
      pass(execution.stderr, bytes => output.error(bytes)),
    ])
    return exitCode
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
}

async function pass(
  from: AsyncIterable<Uint8Array>,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for await (const bytes of from) await write(bytes)
}

function leaveUnfed(execution: Execution): Disposable {
  execution.stdin.end()
  return { [Symbol.dispose]: () => {} }
}

function feedOurs(execution: Execution, tty: boolean): Disposable {
  const fed = feed(execution, process, tty)
  return {
    [Symbol.dispose]: () => {
      fed[Symbol.dispose]()
      // Whoever holds its other end open does not keep us.
      process.stdin.destroy()
    },
  }
}
