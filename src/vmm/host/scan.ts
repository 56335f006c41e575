import { readdirSync } from 'node:fs'
import type { ProcessIdentity } from '../../machines/index.ts'
import { identify, readCommandLine } from './identity.ts'

/** True if a command line is that of the VMM which serves `socket`. */
export function serves(commandLine: readonly string[] | undefined, socket: string): boolean {
  return commandLine?.some(word => word === `path=${socket}` || word === socket) ?? false
}

/**
 * True if a command line is that of a VMM which serves the same box and incarnation in another home: the one that this
 * home is a copy of, since IDs of boxes are never the same by chance.
 */
export function servesCopied(commandLine: readonly string[] | undefined, socket: string): boolean {
  const place = /\/boxes\/[^/]+\/\d+\/[^/]+$/.exec(socket)?.[0]
  if (place === undefined || serves(commandLine, socket)) return false
  return commandLine?.some(word => word.startsWith('path=/') && word.endsWith(place)) ?? false
}

/** Looks through all processes for the VMM that serves `socket`. Throws where it cannot be told. */
export function findVmm(socket: string): ProcessIdentity | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    if (!serves(readCommandLine(pid), socket)) continue
    try {
      return identify(pid)
    } catch (error) {
      if (readCommandLine(pid) !== undefined) throw error // else it has ended between the two looks
    }
  }
  return undefined
}
