import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** What tells a test file's processes from all others */
export interface Mark {
  /** In the environment of whatever the file starts */
  readonly id: string
  /** The file's private directory, named in command lines */
  readonly dir: string
  /** Number of the file's own process, which leads a session */
  readonly leader?: number | undefined
}

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly session: number
  readonly environ: string
  readonly cmdline: string
}

/**
 * Picks a test file's processes: those that carry its id or name its directory, those in its session, and whatever
 * descends from these or shares a session they lead.
 */
export const pickMarked = (mark: Mark, all: readonly ProcessEntry[]): ProcessEntry[] => {
  const picked = new Map<number, ProcessEntry>()
  for (let before = -1; before < picked.size; ) {
    before = picked.size
    for (const entry of all) {
      const { parent, session } = entry
      if (isMarked(mark, entry) || session === mark.leader || picked.has(parent) || picked.has(session)) {
        picked.set(entry.pid, entry)
      }
    }
  }
  return [...picked.values()]
}

const isMarked = ({ id, dir }: Mark, { environ, cmdline }: ProcessEntry): boolean => {
  const values = `\0${environ}`.split(`\0BOXLEDGER_TEST_RUN=${id}`).slice(1)
  // A run within the run carries on the id after a point.
  if (values.some(rest => rest === '' || rest[0] === '\0' || rest[0] === '.')) return true
  const mentions = cmdline.split(dir).slice(1)
  return mentions.some(rest => !/^[A-Za-z0-9]/.test(rest))
}

/** Looks through `/proc` in one go and without a pause, so that a process number is used while it is fresh. */
export const findProcesses = (mark: Mark): ProcessEntry[] => {
  const all: ProcessEntry[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    // `pid (any name) state parent group session …`
    const stat = readProc(`/proc/${name}/stat`)
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie is over; it waits for its parent only.
    if (state === undefined || state === '' || state === 'Z' || state === 'X') continue
    const environ = readProc(`/proc/${name}/environ`)
    const cmdline = readProc(`/proc/${name}/cmdline`)
    all.push({ pid, parent: Number(parent), session: Number(session), environ, cmdline })
  }
  return pickMarked(mark, all)
}

/** Kills a test file's processes as they are now; gives those it found. */
export const killFound = (mark: Mark): ProcessEntry[] => {
  const found = findProcesses(mark)
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // ESRCH: it ended by itself. EPERM: another user's, which is then reported as still there.
      if (!isCode(error, ['ESRCH', 'EPERM'])) throw error
    }
  }
  return found
}

/** Kills until nothing is left, what is forked meanwhile too; gives those that are still there after five seconds. */
export const killAll = (mark: Mark): Promise<ProcessEntry[]> => repeat(() => killFound(mark), 5000)

/** Waits until a test file has no processes, or the time is over; gives those that are left. */
export const awaitNone = (mark: Mark, graceMs: number): Promise<ProcessEntry[]> =>
  repeat(() => findProcesses(mark), graceMs)

/** `process 123: its command`, cut to a readable length. */
export const describeProcess = ({ pid, cmdline }: ProcessEntry): string => {
  const command = cmdline.replaceAll('\0', ' ').trim()
  return `process ${pid}: ${command.length > 300 ? `${command.slice(0, 300)}…` : command}`
}

const repeat = async (look: () => ProcessEntry[], forMs: number): Promise<ProcessEntry[]> => {
  const end = performance.now() + forMs
  for (;;) {
    const found = look()
    if (found.length === 0 || performance.now() >= end) return found
    await sleep(20)
  }
}

const readProc = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    // ENOENT, ESRCH: it has ended. EACCES, EPERM: another user's process, whose environment is not ours to read.
    if (isCode(error, ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])) return ''
    throw error
  }
}

const isCode = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))
