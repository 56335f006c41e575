import { setTimeout as delay } from 'node:timers/promises'
import { feed, terminalOf } from '../api/terminal.ts'
import { BoxError, type ExecOptions, type Execution } from '../index.ts'
import { Interruption } from './interrupt.ts'
import type { Session } from './session.ts'

/** How long a command that was told of an interruption may take to end before it is killed, in `ms`. */
const interruptedMs = 3_000

export interface AttachOptions {
  /** it reads what this command reads; else nothing */
  readonly interactive: boolean
  /** it has a terminal, and so have we, if we have one */
  readonly tty: boolean
  /** a key, as a byte, that leaves it, which ends it in good order */
  readonly leaveKey?: number
}

/** Runs a command in a box as if it ran here: its streams are ours, and so is its exit code. */
export async function attach(
  { output, json, signal }: Pick<Session, 'output' | 'json' | 'signal'>,
  { interactive, tty, leaveKey }: AttachOptions,
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
  const left = new AbortController()
  const onLeave = () => {
    left.abort()
    kill.abort()
  }
  using _input = interactive ? feedOurs(execution, tty, { leaveKey, onLeave }) : leaveUnfed(execution)
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
  } catch (error) {
    if (left.signal.aborted && BoxError.is(error, 'ABORTED')) return 0
    throw error
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

/** Passes our input on, and looks out for the key that leaves. */
function feedOurs(
  execution: Execution,
  tty: boolean,
  { leaveKey, onLeave }: { readonly leaveKey: number | undefined; readonly onLeave: () => void },
): Disposable {
  const watch = (bytes: Buffer) => {
    if (leaveKey !== undefined && bytes.includes(leaveKey)) onLeave()
  }
  process.stdin.on('data', watch)
  const fed = feed(execution, process, tty)
  return {
    [Symbol.dispose]: () => {
      fed[Symbol.dispose]()
      process.stdin.off('data', watch)
      // Whoever holds its other end open does not keep us.
      process.stdin.destroy()
    },
  }
}
