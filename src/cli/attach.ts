import { setTimeout as delay } from 'node:timers/promises'
import { feed, terminalOf } from '../api/terminal.ts'
import { BoxError, type ExecOptions, type Execution } from '../index.ts'
import { KeyWatch } from './detach-keys.ts'
import { Interruption } from './interrupt.ts'
import type { Session } from './session.ts'

/** How long a command that was told of an interruption may take to end before it is killed, in `ms`. */
const interruptedMs = 3_000

export interface AttachOptions {
  /** it reads what this command reads; else nothing */
  readonly interactive: boolean
  /** it has a terminal, and so have we, if we have one */
  readonly tty: boolean
  readonly leave?: Leave
}

/** How keys leave a command. */
export interface Leave {
  readonly keys: Buffer
  /** `end`: it is ended, in good order; `detach`: it goes on */
  readonly how: 'end' | 'detach'
  readonly onDetached?: () => void
}

const ownNote =
  'It cannot be left: this command owns the home, and what it runs ends with it. With boxledger serve it can.'

/** Runs a command in a box as if it ran here: its streams are ours, and so is its exit code; 0 if it was left. */
export async function attach(
  { output, json, signal, owns }: Pick<Session, 'output' | 'json' | 'signal' | 'owns'>,
  { interactive, tty, leave }: AttachOptions,
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
  let isLeft = false
  const onKeys = () => {
    if (leave?.how === 'detach' && owns())
      return void output.error(Buffer.from(`\r\nboxledger: ${ownNote}\r\n`))
    isLeft = true
    if (leave?.how === 'end') kill.abort()
    else execution.detach().catch(() => {}) // its end tells
  }
  using _input = interactive ? feedOurs(execution, tty, leave?.keys, onKeys) : leaveUnfed(execution)
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
    if (!isLeft || !BoxError.is(error, 'ABORTED')) throw error
    if (leave?.how === 'detach') {
      leave.onDetached?.()
      await (json
        ? output.value({ id: execution.id, detached: true })
        : output.error(
            Buffer.from(`\r\nboxledger: Left. The command goes on, as execution ${execution.id}.\r\n`),
          ))
    }
    return 0
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

/** Passes our input on, but for the keys that leave. */
function feedOurs(
  execution: Execution,
  tty: boolean,
  keys: Buffer | undefined,
  onKeys: () => void,
): Disposable {
  const fed = feed(execution, process, tty, keys && new KeyWatch(keys, onKeys))
  return {
    [Symbol.dispose]: () => {
      fed[Symbol.dispose]()
      // Whoever holds its other end open does not keep us.
      process.stdin.destroy()
    },
  }
}
