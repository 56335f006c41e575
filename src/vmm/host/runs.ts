import { readdirSync } from 'node:fs'
import type { LivingVmm, RunsOnHost } from '../driver.ts'
import { boxDir, runFiles, runNumber } from '../files/paths.ts'
import { identify, readCommandLine } from './identity.ts'
import { lookAtLifeLock } from './proof.ts'

/** By command lines: those of this user and this pid namespace. */
function livingVmms(home: string): LivingVmm[] {
  const found: LivingVmm[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    try {
      const run = runOf(readCommandLine(pid), home)
      if (run !== undefined) found.push({ ...run, process: identify(pid) })
    } catch {
      // It has ended meanwhile, or is another user's, whom we may not look at.
    }
  }
  return found
}

function runOf(commandLine: readonly string[] | undefined, home: string) {
  const prefix = `path=${home}/boxes/`
  for (const word of commandLine ?? []) {
    const [, box, incarnation] = word.startsWith(prefix)
      ? (/^([0-9a-z]{12})\/([1-9]\d{0,8})\/api\.sock$/.exec(word.slice(prefix.length)) ?? [])
      : []
    if (box !== undefined) return { box, incarnation: Number(incarnation) }
  }
  return undefined
}

function highestRun(home: string, box: string): number {
  try {
    return Math.max(0, ...readdirSync(boxDir(home, box)).map(name => runNumber(name) ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function mayLive(home: string, box: string, incarnation: number): boolean {
  try {
    return lookAtLifeLock(runFiles(home, box, incarnation).alive) === 'held'
  } catch {
    return true
  }
}

/** The runs on this machine. */
export const runsOnHost: RunsOnHost = { living: livingVmms, highest: highestRun, mayLive }
