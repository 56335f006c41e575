import { constants } from 'node:os'
import { Writable } from 'node:stream'
import { BoxError, quoted } from '../machines/index.ts'
import { ExecutionOutput } from './execution-output.ts'
import type { ExecutionEnd, RunningCommand } from './running-command.ts'

export type { ExecutionEnd, RunningCommand }

/** How a command is run. */
export interface ExecOptions {
  /** beside the box's own environment, which it also has; a secret is one of the box's */
  readonly env?: Readonly<Record<string, string | { readonly secret: string }>>
  /** absolute; default the box's `workdir`, else `/` */
  readonly cwd?: string
  /** `NAME` or `UID`, with `:GROUP` or `:GID`; default the box's `user`, else root */
  readonly user?: string
  /** a terminal of its own, of 80 × 24 unless said otherwise; its output is all in `stdout` */
  readonly tty?: boolean | { readonly columns: number; readonly rows: number }
  /** kills the command with all that it has started; `wait` then rejects with `ABORTED` */
  readonly signal?: AbortSignal
  /** the same after so long, in `ms`, from when the command begins */
  readonly timeoutMs?: number
  /** what it reads; nothing more then */
  readonly input?: string | Uint8Array
  /** how much of each output is kept for who waits for the whole, in `bytes`; default 16 MiB */
  readonly maxOutputBytes?: number
  /** record the arguments in clear; default: a keyed hash of them, which tells only whether two were the same */
  readonly recordArguments?: boolean
  /** who asks, kept in the record */
  readonly actor?: string
}

export interface ExecutionResult extends ExecutionEnd {
  readonly stdout: string
  readonly stderr: string
  /** some output was more than `maxOutputBytes`: the rest was dropped */
  readonly truncated: boolean
}

const defaultMaxOutputBytes = 16 << 20

/**
 * A command that is run in a box. Awaited as a whole it gives its end with its output as text; a code other than 0 is a
 * result, not an error. It goes on while its output is read: what nobody reads and nobody waits for stays where it is,
 * and the command waits.
 *
 * Rejects with `EXEC_LOST` where nobody knows how it ended, since its box or the engine did before; it is never run again.
 * With `ABORTED` when it was killed by `signal` or `timeoutMs`, with `INVALID_STATE` in a paused box, with
 * `UNSUPPORTED` where there is no agent in the guest, with `GUEST_UNREACHABLE`, and as `start` does.
 *
 * @example
 * const { exitCode, stdout } = await box.exec('uname', ['-a'])
 *
 * @example
 * const build = box.exec('make', ['-C', '/src'])
 * for await (const bytes of build.stdout) process.stdout.write(bytes)
 * const { exitCode } = await build.wait()
 */
export class Execution implements PromiseLike<ExecutionResult> {
  readonly id: string
  readonly stdout: ExecutionOutput
  readonly stderr: ExecutionOutput
  readonly #options: ExecOptions
  readonly #running: Promise<RunningCommand>
  readonly #end: Promise<ExecutionEnd>
  readonly #stdin: Writable
  readonly #left: Promise<never>
  #leave: (error: BoxError) => void = () => {}
  #isFed: boolean

  constructor(id: string, begin: () => Promise<RunningCommand>, options: ExecOptions) {
    const { signal, input, maxOutputBytes = defaultMaxOutputBytes } = options
    this.id = id
    this.#options = options
    this.#running = begin()
    this.#running.catch(() => {}) // told to whoever waits for its end
    this.stdout = new ExecutionOutput(this.#running, 'stdout', maxOutputBytes)
    this.stderr = new ExecutionOutput(this.#running, 'stderr', maxOutputBytes)
    this.#stdin = stdinOf(this.#running)
    this.#isFed = input !== undefined
    if (input !== undefined) this.#stdin.end(input)
    this.#left = new Promise((_, reject) => {
      this.#leave = reject
    })
    this.#left.catch(() => {}) // the same
    this.#end = this.#run(signal)
    this.#end.catch(() => {}) // the same
  }

  get stdin(): Writable {
    this.#isFed = true
    return this.#stdin
  }

  /**
   * Resolves when the command has ended, and that is recorded. What nobody reads of its output is kept meanwhile, for
   * who reads it later, up to `maxOutputBytes`.
   */
  wait(): Promise<ExecutionEnd> {
    this.stdout.keep()
    this.stderr.keep()
    return this.#end
  }

  /** Signals its process group. Throws `INVALID_ARGUMENT` for what is no name of a signal. */
  kill(signal = 'SIGTERM'): void {
    const name = `SIG${String(signal).replace(/^SIG/, '')}`
    if (!Object.hasOwn(constants.signals, name))
      throw new BoxError('INVALID_ARGUMENT', `${quoted(signal)} is no name of a signal`, {
        details: { field: 'signal' },
      })
    this.#with(running => running.kill(name))
  }

  /** Changes the size of its terminal; without one nothing happens. */
  resize(columns: number, rows: number): void {
    for (const [field, value] of Object.entries({ columns, rows }))
      if (!(Number.isInteger(value) && value > 0 && value < 65_536))
        throw new BoxError('INVALID_ARGUMENT', `${field} must be a whole number from 1 to 65535`, {
          details: { field },
        })
    this.#with(running => running.resize(columns, rows))
  }

  /**
   * Leaves the command: it goes on in its box without a caller, as long as the box and the home's owner do, and how it ends is in the
   * ledger. From now on what it puts out is dropped, its input stays open with nothing more in it, `signal` does not kill
   * it any more, and who waits for it gets `ABORTED`; `timeoutMs` still holds. Resolves when that is sure; of a command
   * that has ended, nothing changes.
   */
  async detach(): Promise<void> {
    const running = await this.#running
    await running.detach()
    this.#leave(
      new BoxError('ABORTED', `Execution ${this.id} was left, and goes on`, {
        details: { execution: this.id, detached: true },
      }),
    )
  }

  // biome-ignore lint/suspicious/noThenProperty: it is awaited as a whole
  then<A = ExecutionResult, B = never>(
    onFulfilled?: ((result: ExecutionResult) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#whole().then(onFulfilled, onRejected)
  }

  async #whole(): Promise<ExecutionResult> {
    if (!this.#isFed) this.stdin.end()
    const end = await this.wait()
    const [stdout, stderr] = await Promise.all([this.stdout.text(), this.stderr.text()])
    return { ...end, stdout, stderr, truncated: this.stdout.isTruncated || this.stderr.isTruncated }
  }

  async #run(signal: AbortSignal | undefined): Promise<ExecutionEnd> {
    const running = await this.#running
    const abort = () => running.abort()
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    try {
      const { exitCode, signal: by, reason } = await Promise.race([running.outcome, this.#left])
      if (reason !== undefined) throw this.#killed(reason)
      return { exitCode, ...(by === undefined ? {} : { signal: by }) }
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #killed(reason: string): BoxError {
    const { signal, timeoutMs } = this.#options
    if (reason === 'timed-out')
      return new BoxError('ABORTED', `The command was killed after ${timeoutMs} ms`, {
        details: { timeoutMs },
      })
    return new BoxError('ABORTED', 'The command was killed: it is not wanted any more', {
      cause: signal?.reason,
    })
  }

  #with(act: (running: RunningCommand) => void): void {
    this.#running.then(act, () => {})
  }
}

/** Takes input before the command runs. Of one that reads no more it is not the writer's fault. */
function stdinOf(running: Promise<RunningCommand>): Writable {
  const stdin = new Writable({
    write: (bytes: Uint8Array, _, done) => {
      running.then(
        ({ stdin }) => {
          if (stdin.destroyed || stdin.writableEnded) done()
          else stdin.write(bytes, () => done())
        },
        () => done(),
      )
    },
    final: done => {
      running.then(
        ({ stdin }) => {
          stdin.end()
          done()
        },
        () => done(),
      )
    },
  })
  return stdin
}
