import { readdirSync, readFileSync } from 'node:fs'

export interface LiveVmm {
  readonly pid: number
  readonly box: string
  readonly incarnation: number
}

/** VMM processes of a home, by what the kernel says: command lines that hold one of its run directories. */
export function vmmsOf(home: string): LiveVmm[] {
  const found: LiveVmm[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const words = commandLineOf(entry)
    const socket = words[words.indexOf('--api-socket') + 1]
    const place = socket?.slice(socket.indexOf('/')).replace(`${home}/boxes/`, '')
    const [, box, incarnation] = /^([0-9a-z]+)\/(\d+)\//.exec(place ?? '') ?? []
    if (box === undefined || !isAlive(entry)) continue
    found.push({ pid: Number(entry), box, incarnation: Number(incarnation) })
  }
  return found
}

function commandLineOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // It ended between the listing and the reading.
    return []
  }
}

function isAlive(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3))
  } catch {
    return false
  }
}
