import type { Writable } from 'node:stream'

export interface ExecutionEnd {
  /** 128 and the signal's number where a signal ended it; 127 and 126 where it could not be run */
  readonly exitCode: number
  /** as `SIGTERM` */
  readonly signal?: string
}

/** A command that runs, whoever runs it. */
export interface RunningCommand {
  readonly stdout: AsyncIterable<Uint8Array>
  readonly stderr: AsyncIterable<Uint8Array>
  readonly stdin: Writable
  readonly outcome: Promise<ExecutionEnd & { readonly reason?: string }>
  kill(signal: string): void
  resize(columns: number, rows: number): void
  abort(): void
  /** Leaves it to go on without its caller; resolves when that is sure. */
  detach(): Promise<void>
}
