import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { waitForSocket } from './raw-client.ts'
import { waitUntil } from './wait.ts'

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

export interface SeenEvent {
  readonly timestamp: { readonly secs: number; readonly nanos: number }
  readonly source: string
  readonly event: string
  readonly properties: Readonly<Record<string, string>> | null
}

/** A directory with a short name, for the length of a test. */
export async function inRunDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'be-'))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const EMULATOR = fileURLToPath(new URL('../../../src/vmm/emulator/main.js', import.meta.url))

/** The words that start the VMM under test: the emulator, or what `$BOXLEDGER_CONFORMANCE_VMM` names. */
export function vmmCommand(backend: 'none' | 'qemu'): string[] {
  const other = process.env.BOXLEDGER_CONFORMANCE_VMM
  return other === undefined ? [process.execPath, EMULATOR, '--backend', backend] : [other]
}

export const isEmulator = process.env.BOXLEDGER_CONFORMANCE_VMM === undefined

/** A VMM process whose files are in a run directory. */
export class VmmProcess {
  readonly directory: string
  readonly socket: string
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  private readonly stderrFile: string
  private readonly stdoutFile: string

  constructor(directory: string, command: readonly string[], name = 'out') {
    this.directory = directory
    this.socket = join(directory, 'api.sock')
    this.stderrFile = join(directory, `${name}.err`)
    this.stdoutFile = join(directory, `${name}.std`)
    const stdout = openSync(this.stdoutFile, 'w')
    const stderr = openSync(this.stderrFile, 'w')
    const [file = '', ...args] = command
    this.child = spawn(file, args, { stdio: ['ignore', stdout, stderr], cwd: directory })
    closeSync(stdout)
    closeSync(stderr)
    this.ended = new Promise(resolve => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  get stdout(): string {
    return readFileSync(this.stdoutFile, 'utf8')
  }

  get stderr(): string {
    return readFileSync(this.stderrFile, 'utf8')
  }

  async ready(): Promise<void> {
    await waitForSocket(this.socket)
  }

  /** How it ended; `undefined` while it lives. */
  get ending(): Ended | undefined {
    const { exitCode, signalCode } = this.child
    return exitCode === null && signalCode === null ? undefined : { code: exitCode, signal: signalCode }
  }

  async waitForEnd(timeoutMs = 10_000): Promise<Ended> {
    return await waitUntil(`the end of process ${this.pid}`, () => this.ending, timeoutMs)
  }

  /** The events written so far, as `source.event`. */
  eventNames(): string[] {
    return this.events().map(({ source, event }) => `${source}.${event}`)
  }

  events(): SeenEvent[] {
    return readEvents(join(this.directory, 'events.json'))
  }

  /** Whatever happened: the process is gone after this. */
  async dispose(): Promise<void> {
    if (this.ending === undefined) this.child.kill('SIGKILL')
    await this.ended
  }
}

export function readEvents(file: string): SeenEvent[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n\n')
    .slice(0, -1)
    .map(text => JSON.parse(text) as SeenEvent)
}
