import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { Log } from '../log.ts'

export interface QemuProcess {
  /** The parent's end of the control channel and of the serial port. */
  readonly qmp: Duplex
  readonly serial: Duplex
  /** What it reads a saved guest from, if that is told by this process. */
  readonly incoming: Duplex | undefined
  /** Resolves when it is gone. */
  readonly gone: Promise<void>
  /** The end of what it wrote to its standard error. */
  readonly lastWords: () => string
  kill(): void
}

const LAST_WORDS_LENGTH = 2000

// Runs after the kernel has been told to kill this process with its parent: a parent that died before that is seen here.
const CHECK_PARENT = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'

/** Starts QEMU so that it dies with this process, however this one dies. */
export function spawnQemu(
  binary: string,
  args: readonly string[],
  incoming: number | 'pipe' | undefined,
  log: Log,
): QemuProcess {
  const words = ['--pdeathsig', 'KILL', 'sh', '-c', CHECK_PARENT, 'sh', String(process.pid), binary, ...args]
  const child = spawn('setpriv', words, {
    // A session of its own: Ctrl-C is for the emulator, which then ends it in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', incoming ?? 'ignore'],
  })
  let lastWords = ''
  const listen = (text: string): void => {
    log.print(text)
    lastWords = (lastWords + text).slice(-LAST_WORDS_LENGTH)
  }
  child.stdout?.setEncoding('utf8').on('data', listen)
  child.stderr?.setEncoding('utf8').on('data', listen)
  const serial = child.stdio[4] as Duplex
  serial.on('error', () => serial.destroy())
  const told = ([...child.stdio][5] ?? undefined) as Duplex | undefined
  // A QEMU that ends before it has read all is told of by its end.
  told?.on('error', () => told.destroy())
  return {
    incoming: told,
    qmp: child.stdio[3] as Duplex,
    serial,
    gone: waitForEnd(child, listen),
    lastWords: () => lastWords.trim(),
    kill: () => child.kill('SIGKILL'),
  }
}

function waitForEnd(child: ChildProcess, listen: (text: string) => void): Promise<void> {
  return new Promise(resolve => {
    child.once('error', error => {
      listen(`${error.message}\n`)
      resolve()
    })
    child.once('close', () => resolve())
  })
}
