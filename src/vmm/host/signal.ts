import type { ProcessIdentity } from '../../machines/index.ts'
import { readBootId, readCommandLine, readPidNamespace, readStat } from './identity.ts'
import { serves, servesCopied } from './scan.ts'

/**
 * `gone`: it has ended; `other`: the pid is somebody else's; `elsewhere`: its pids mean nothing here; `copied`: it is the
 * VMM of the home that this one is a copy of.
 */
export type Likeness = 'same' | 'gone' | 'other' | 'elsewhere' | 'copied'

/** Is the process that was recorded still the one with that pid? Throws where it cannot be told. */
export function compare(recorded: ProcessIdentity, socket: string): Likeness {
  if (recorded.bootId !== readBootId()) return 'gone'
  if (recorded.pidNamespace !== readPidNamespace()) return 'elsewhere'
  const stat = readStat(recorded.pid)
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return 'gone'
  if (stat.startTime !== recorded.startTime) return 'other'
  const commandLine = readCommandLine(recorded.pid)
  if (commandLine === undefined || commandLine.length === 0) return 'gone'
  if (serves(commandLine, socket)) return 'same'
  return servesCopied(commandLine, socket) ? 'copied' : 'other'
}

/** Signals a process if it is, in this very tick, the recorded one. */
export function signalVmm(
  recorded: ProcessIdentity,
  socket: string,
  signal: 'SIGTERM' | 'SIGKILL',
): Likeness {
  const likeness = compare(recorded, socket)
  if (likeness !== 'same') return likeness
  try {
    process.kill(recorded.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone'
    throw error
  }
  return 'same'
}
