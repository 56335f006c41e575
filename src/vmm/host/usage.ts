import { readdirSync, readFileSync } from 'node:fs'
import type { ProcessIdentity } from '../../machines/index.ts'
import { isGone } from './identity.ts'
import { compare } from './signal.ts'

/** What a process, and those that it has started, have used of this machine. */
export interface ProcessUsage {
  /** time of processors, in `ms` */
  readonly cpuMs: number
  /** how long it has lived, in `ms` */
  readonly lifeMs: number
  /** in memory now, in `bytes`; what processes share counts for each */
  readonly residentBytes: number
}

/** USER_HZ, in which /proc counts: the same on every architecture that VMMs run on. */
const ticksPerSecond = 100
const msOf = (ticks: number) => (ticks * 1000) / ticksPerSecond

/**
 * What a VMM's process has used, with those that it has started, and they: the emulator's guest is in a QEMU of its own; undefined where that process is not the recorded one any more, or its pid means nothing
 * here. Throws where it cannot be told.
 */
export function usageOf(recorded: ProcessIdentity, socket: string): ProcessUsage | undefined {
  if (compare(recorded, socket) !== 'same') return undefined
  try {
    const fields = statOf(recorded.pid)
    const resident = residentOf(recorded.pid)
    const [uptime = '0'] = readFileSync('/proc/uptime', 'latin1').split(' ')
    // The pid may have become somebody else's between two reads.
    if (resident === undefined || fields[19] !== recorded.startTime) return undefined
    const below = descendantsOf(recorded.pid).flatMap(pid => usageOfChild(pid) ?? [])
    return {
      cpuMs: below.reduce((sum, { cpuMs }) => sum + cpuMs, cpuOf(fields)),
      lifeMs: Math.max(0, Math.round(Number(uptime) * 1000 - msOf(Number(recorded.startTime)))),
      residentBytes: below.reduce((sum, { residentBytes }) => sum + residentBytes, resident),
    }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

function usageOfChild(pid: number): Pick<ProcessUsage, 'cpuMs' | 'residentBytes'> | undefined {
  try {
    const fields = statOf(pid)
    const resident = residentOf(pid)
    return { cpuMs: cpuOf(fields), residentBytes: resident ?? 0 }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Processes below one, as the kernel lists the children of each of its threads. */
function descendantsOf(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap(thread =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
    return children.flatMap(child => [child, ...descendantsOf(child)])
  } catch (error) {
    if (isGone(error)) return [] // or the kernel lists none
    throw error
  }
}

function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Of a process and its children that have ended, in `ms`. */
function cpuOf(fields: readonly string[]): number {
  return msOf(fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0))
}

/** Undefined of one that has ended, and is not waited for yet. */
function residentOf(pid: number): number | undefined {
  const kiB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return kiB === undefined ? undefined : Number(kiB) * 1024
}
