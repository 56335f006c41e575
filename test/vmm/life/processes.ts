import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Living processes whose command line holds a text. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text) ? [Number(name)] : []
    } catch {
      return [] // it has ended
    }
  })
}

/** Fields of /proc/PID/stat from the third on: state, parent, group, session … */
export function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

export function descriptorsOf(pid: number | 'self'): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return [] // that of the listing itself
    }
  })
}

export function isAlive(pid: number): boolean {
  try {
    return !['Z', 'X'].includes(statOf(pid)[0] ?? 'X')
  } catch {
    return false
  }
}
