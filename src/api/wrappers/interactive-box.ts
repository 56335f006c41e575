import { type BoxInfo, tagOf, unlessAborted } from '../../engine/index.ts'
import { BoxError } from '../../machines/index.ts'
import type { CommandOptions } from '../box.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import type { Execution, ExecutionEnd } from '../execution.ts'
import { type BoxOptions, check, shapes } from '../options.ts'
import { feed, terminalOf } from '../terminal.ts'
import { type InteractiveBoxOptions, interactiveOptions } from './interactive-options.ts'
import { SimpleBox } from './simple-box.ts'

/** How a session ended. */
export type SessionEnd = BoxInfo & Partial<ExecutionEnd>

/**
 * A box with a shell in it that reads this process's input and writes to its output; at a terminal it is as if one sat
 * at the box. When the shell ends, the terminal is as it was.
 *
 * @example
 * await using box = new InteractiveBox({ name: 'workshop', autoRemove: false })
 * await box.start()
 * await box.wait()
 */
export class InteractiveBox extends SimpleBox {
  readonly #shell: readonly string[]
  readonly #tty: boolean | undefined
  #session: Promise<ExecutionEnd> | undefined
  #isOver = true

  /** Throws `INVALID_ARGUMENT`. */
  constructor(options: InteractiveBoxOptions = {}, runtime?: BoxRuntime) {
    const { shell = 'sh', tty, ...box } = check(interactiveOptions, options, 'options')
    super(box as BoxOptions, runtime)
    this.#shell = typeof shell === 'string' ? [shell] : shell
    this.#tty = tty
  }

  /** Resolves when the box is up; then the shell begins, unless one runs. What comes of that, `wait` tells. */
  override async start(c?: CommandOptions): Promise<void> {
    await super.start(c)
    if (!this.#isOver) return
    this.#isOver = false
    this.#session = this.#run().finally(() => {
      this.#isOver = true
    })
    this.#session.catch(() => {}) // told to whoever waits
  }

  /**
   * Resolves when the shell has ended, with its exit code, or its box, without; where no shell was started, as that of
   * any box. Rejects with `EXEC_LOST` where the box goes on and nobody knows how the shell ended, and as `exec` does.
   */
  override async wait(o: { readonly signal?: AbortSignal } = {}): Promise<SessionEnd> {
    const session = this.#session
    if (session === undefined) return super.wait(o)
    const { signal } = check(shapes.wait, o, 'wait')
    try {
      const end = await unlessAborted(session, signal)
      return { ...(await this.info()), ...end }
    } catch (error) {
      if (!BoxError.is(error, 'EXEC_LOST') || tagOf(await this.info()) === 'up') throw error
      return super.wait(o)
    }
  }

  /** The same as of any wrapper; the terminal is given back before. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    await this.#session?.catch(() => {}) // told to whoever waited
  }

  async #run(): Promise<ExecutionEnd> {
    const { stdin, stdout, stderr } = process
    const tty = this.#tty ?? (stdin.isTTY === true && stdout.isTTY === true)
    const [program = 'sh', ...args] = this.#shell
    const shell = this.exec(program, args, tty ? terminalOf(stdout, process.env) : {})
    using _input = feed(shell, process, tty)
    const [end] = await Promise.all([shell.wait(), pass(shell.stdout, stdout), pass(shell.stderr, stderr)])
    return end
  }
}

async function pass(from: Execution['stdout'], to: NodeJS.WritableStream): Promise<void> {
  for await (const bytes of from) await new Promise<void>(resolve => void to.write(bytes, () => resolve()))
}
