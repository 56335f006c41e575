import type { Writable } from 'node:stream'
import { outputClosed } from './interrupt.ts'
import { plainJson, plainLine, plainText } from './plain.ts'
import { formatTable } from './table.ts'

export interface OutputOptions {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** aborted when nobody reads any more */
  readonly stop: AbortController
}

/** Where a command says what it has to say. Answers go to stdout, everything else to stderr. */
export interface Output {
  /** letters may be dim or coloured */
  readonly styled: boolean
  /** somebody is looking at it as it comes */
  readonly isTerminal: boolean
  /** resolves when the text is handed over, so that a slow reader slows the writer */
  write(text: string | Uint8Array): Promise<void>
  /** the same to stderr */
  error(bytes: Uint8Array): Promise<void>
  /** a line, without anything in it that steers a terminal */
  line(text: string): Promise<void>
  /** one JSON value, indented */
  value(value: unknown): Promise<void>
  /** one line of NDJSON */
  row(value: unknown): Promise<void>
  /** @param head undefined: it has been written before */
  table(head: readonly string[] | undefined, rows: readonly (readonly string[])[]): Promise<void>
  /** to stderr, a line */
  note(text: string): void
}

export function makeOutput({ stdout, stderr, env, stop }: OutputOptions): Output {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    stop.abort(outputClosed)
  })
  stderr.on('error', (error: NodeJS.ErrnoException) => {
    // EPIPE: complaints that nobody reads are no reason to end.
    if (error.code !== 'EPIPE') throw error
  })
  // An error comes as an event too, and is dealt with there.
  const write = (text: string | Uint8Array) =>
    new Promise<void>(resolve => {
      stdout.write(text, () => resolve())
    })
  const line = (text: string) => write(`${plainLine(text)}\n`)
  return {
    styled: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    isTerminal: stdout.isTTY === true,
    write,
    error: bytes =>
      new Promise<void>(resolve => {
        stderr.write(bytes, () => resolve())
      }),
    line,
    value: value => write(`${plainJson(value, 2)}\n`),
    row: value => write(`${plainJson(value)}\n`),
    table: (head, rows) =>
      write(
        formatTable(
          head,
          rows.map(cells => cells.map(plainLine)),
        ),
      ),
    note: text => void stderr.write(`${plainText(text)}\n`),
  }
}
