// Life and death as the kernel tells them: no engine is asked here.
import { readdirSync, readFileSync } from 'node:fs'

/** A process that cannot be taken for another one which got the same pid later. */
export interface Process {
  readonly pid: number
  /** in clock ticks since the machine's boot */
  readonly startTime: string
}

/** The living process of a pid: neither gone nor a zombie. */
export function processOf(pid: number): Process | undefined {
  const stat = read(`/proc/${pid}/stat`)
  // `pid (any name) state parent …`; the start time is the 22nd field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined
  return { pid, startTime }
}

export function isAlive({ pid, startTime }: Process): boolean {
  return processOf(pid)?.startTime === startTime
}

/** Living processes whose command line names a directory, this one left out. */
export function processesOf(dir: string): Process[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids
    .map(Number)
    .filter(pid => pid !== process.pid && commandLineOf(pid).includes(dir))
    .flatMap(pid => processOf(pid) ?? [])
}

/** Those of them that are VMMs. */
export function vmmsOf(dir: string): Process[] {
  return processesOf(dir).filter(({ pid }) => commandLineOf(pid).includes('--api-socket'))
}

export function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // It has ended meanwhile, or is somebody else's.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return ''
    throw error
  }
}
