import { readBootId } from '../host/identity.ts'
import { lookAtLifeLock } from '../host/proof.ts'
import { findVmm } from '../host/scan.ts'
import { compare } from '../host/signal.ts'
import type { Incarnation } from './incarnation.ts'
import { pause } from './wait.ts'

/**
 * What is known of an incarnation's process. `unmade`: it was never made; `copied`: it lives in the home that this one
 * is a copy of; `doubtful`: what was seen does not fit together, which for a moment is so while a process ends or
 * another look is under way.
 */
export type Life = 'alive' | 'dead' | 'unmade' | 'copied' | 'doubtful'

/** Looks once, without waiting. Throws where it cannot be told. */
export function lookAtLife(box: Incarnation): Life {
  const { files, process } = box
  const lock = lookAtLifeLock(files.alive)
  if (lock === 'free') return livesInOtherHome(box) ? 'copied' : 'dead'
  if (process === null) return lock === 'held' ? 'alive' : findVmm(files.socket) ? 'doubtful' : 'unmade'
  const likeness = compare(process, files.socket)
  if (lock === 'none' && likeness === 'copied') return 'copied'
  if (lock === 'held') return likeness === 'same' || likeness === 'elsewhere' ? 'alive' : 'doubtful'
  // Somebody has deleted the lock's file: the pid alone must do, and where it means nothing nothing is known.
  if (likeness === 'same') return 'alive'
  // Its pid is of another boot: a process that serves its socket all the same contradicts that.
  if (process.bootId !== readBootId() && findVmm(files.socket)) return 'doubtful'
  return likeness === 'elsewhere' ? 'doubtful' : 'dead'
}

/** A free lock in a copy of a home says nothing of the VMM that holds the one in the home itself. */
function livesInOtherHome({ files, process }: Incarnation): boolean {
  try {
    return process !== null && compare(process, files.socket) === 'copied'
  } catch {
    return false // nobody's whom we may not look at: a copy is made by the user who runs the VMMs
  }
}

/** Looks until it can be told, for a second at most; a reason where it cannot. */
export async function settleLife(
  box: Incarnation,
  signal: AbortSignal,
): Promise<Exclude<Life, 'doubtful' | 'copied'> | { readonly unknown: string }> {
  let reason = ''
  for (let tries = 0; tries < 20 && !signal.aborted; tries++) {
    try {
      const life = lookAtLife(box)
      if (life === 'copied')
        return { unknown: 'its VMM lives in the home that this one is a copy of; stop it there first' }
      if (life !== 'doubtful') return life
      reason = 'the lock of its run directory and the list of processes contradict one another'
    } catch (error) {
      reason = `it could not be looked at: ${(error as Error).message}`
    }
    await pause(50, signal)
  }
  return { unknown: reason }
}

/** Finds the process of a VMM whose making was not recorded; between fork and exec it cannot be known yet. */
export async function findProcess(box: Incarnation, signal: AbortSignal): Promise<boolean> {
  for (let tries = 0; tries < 20 && !signal.aborted; tries++) {
    const found = findVmm(box.files.socket)
    if (found) {
      box.process = found
      return true
    }
    await pause(50, signal)
  }
  return false
}
