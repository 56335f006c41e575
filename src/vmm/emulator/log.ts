import { openSync, writeSync } from 'node:fs'

const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 } as const

export type Level = keyof typeof LEVELS

/** The program's log, on standard error or in a file that is truncated at the start. */
export class Log {
  private readonly fd: number
  private readonly threshold: number

  /** `verbosity` is how often `-v` was given; without it only errors and warnings are written. */
  constructor(file: string | undefined, verbosity: number) {
    this.fd = file === undefined ? 2 : openSync(file, 'w')
    this.threshold = LEVELS.warn + verbosity
  }

  write(level: Level, message: string): void {
    if (LEVELS[level] > this.threshold) return
    this.print(`boxledger-vmm: ${process.uptime().toFixed(6)}s: ${level.toUpperCase()} -- ${message}\n`)
  }

  /** Text that is not a log line of its own: the chain of errors, QEMU's messages. */
  print(text: string | Buffer): void {
    try {
      writeSync(this.fd, Buffer.from(text))
    } catch (error) {
      // A closed or full standard error must not take the guest down.
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }

  /** The descriptor to hand to a child for its standard error. */
  get descriptor(): number {
    return this.fd
  }
}
