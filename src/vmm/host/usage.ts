import { readFileSync } from 'node:fs'
import type { ProcessIdentity } from '../../machines/index.ts'
import { isGone } from './identity.ts'
import { compare } from './signal.ts'

/** What a process has used of this machine. */
export interface ProcessUsage {
  /** time of processors, in `ms` */
  readonly cpuMs: number
  /** how long it has lived, in `ms` */
  readonly lifeMs: number
  /** in memory now, in `bytes` */
  readonly residentBytes: number
}

/** USER_HZ, in which /proc counts: the same on every architecture that VMMs run on. */
const ticksPerSecond = 100
const msOf = (ticks: number) => (ticks * 1000) / ticksPerSecond

/**
 * What a VMM's process has used; undefined where that process is not the recorded one any more, or its pid means nothing
 * here. Throws where it cannot be told.
 */
export function usageOf(recorded: ProcessIdentity, socket: string): ProcessUsage | undefined {
  if (compare(recorded, socket) !== 'same') return undefined
  try {
    const stat = readFileSync(`/proc/${recorded.pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${recorded.pid}/status`, 'latin1')
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
    const [uptime = '0'] = readFileSync('/proc/uptime', 'latin1').split(' ')
    // The pid may have become somebody else's between two reads.
    if (resident === undefined || fields[19] !== recorded.startTime) return undefined
    return {
      cpuMs: msOf(Number(fields[11]) + Number(fields[12])),
      lifeMs: Math.max(0, Math.round(Number(uptime) * 1000 - msOf(Number(recorded.startTime)))),
      residentBytes: Number(resident) * 1024,
    }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}
