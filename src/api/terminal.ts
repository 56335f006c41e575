import type { Transform } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import type { ExecOptions, Execution } from './execution.ts'

/** What a person types on, and looks at: a terminal, or anything else. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>
  readonly stdout: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>
}

/** Size and kind of a terminal, for a command that is to have one like it. */
export function terminalOf(
  { columns = 0, rows = 0 }: Terminal['stdout'],
  { TERM }: NodeJS.ProcessEnv,
): Pick<ExecOptions, 'tty' | 'env'> {
  return {
    tty: columns > 0 && rows > 0 ? { columns, rows } : true,
    ...(TERM === undefined ? {} : { env: { TERM } }),
  }
}

/**
 * Passes on what is typed; with `tty` the terminal is one of the guest's meanwhile, to the last key, and a change of its
 * size is passed on too. Disposing gives it back as it was.
 *
 * @param through sees what is typed before the command does
 */
export function feed(
  execution: Execution,
  { stdin, stdout }: Terminal,
  tty: boolean,
  through?: Transform,
): Disposable {
  const isRaw = tty && stdin.isTTY === true
  const resize = () => {
    const { columns = 0, rows = 0 } = stdout
    if (columns > 0 && rows > 0) execution.resize(columns, rows)
  }
  if (isRaw) stdin.setRawMode?.(true)
  if (tty && stdout.isTTY) stdout.on('resize', resize)
  const to = through ?? execution.stdin
  through?.pipe(execution.stdin)
  stdin.pipe(to)
  return {
    [Symbol.dispose]: () => {
      stdout.off('resize', resize)
      stdin.unpipe(to)
      through?.unpipe(execution.stdin)
      if (isRaw) stdin.setRawMode?.(false)
      // What is not read any more keeps no process alive.
      stdin.pause()
    },
  }
}
