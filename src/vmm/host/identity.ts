import { readFileSync, readlinkSync } from 'node:fs'
import type { ProcessIdentity } from '../../machines/index.ts'

/**
 * All here reads /proc synchronously: what is read must still hold when a signal is sent in the same tick.
 */

let bootId: string | undefined
let pidNamespace: string | undefined

/** Read once: it does not change while a process lives. */
export function readBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  return bootId
}

/** Inode of this process's own pid namespace; it does not change either. */
export function readPidNamespace(): string {
  pidNamespace ??= /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/pid'))?.[1] ?? ''
  return pidNamespace
}

export interface ProcessStat {
  /** state letter; `Z` and `X` are dead */
  readonly state: string
  /** in clock ticks since boot */
  readonly startTime: string
}

/** Undefined where there is no such process; throws where it cannot be told. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Field 2 is the program's name and may hold spaces and parentheses: fields count from the last one on.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', startTime: fields[19] ?? '' }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Arguments of a process; undefined where there is none, empty for a zombie. */
export function readCommandLine(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Who `pid` is now, be it alive or not yet waited for; throws if there is no such process. */
export function identify(pid: number): ProcessIdentity {
  const stat = readStat(pid)
  if (stat === undefined) throw new Error(`There is no process ${pid}`)
  return { pid, startTime: stat.startTime, bootId: readBootId(), pidNamespace: readPidNamespace() }
}

export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}
