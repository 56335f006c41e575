import { closeSync, constants, openSync } from 'node:fs'
import native from 'fs-native-extensions'
import { wary } from '../files/own-file.ts'

/**
 * Proof of life: before the fork the engine opens the file `alive` in the run directory, locks it (an OFD lock belongs
 * to the open file, not to a process), hands the descriptor to the VMM and closes its own. From then on the VMM alone
 * holds the lock, from the fork on and until it ends, however it ends; no pid is needed, and pid namespaces do not
 * matter.
 */

/** Makes and locks the file; the descriptor is the caller's to close. The file must not exist. */
export function takeLifeLock(path: string): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    if (native.tryLock(fd)) return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  throw new Error(`${path} is locked by another process`)
}

/** `none`: there is no such file, so nothing was ever spawned; `free`: what held it has ended. */
export type LifeLock = 'none' | 'held' | 'free'

/** Throws where it cannot be told. A look holds a free lock for some microseconds, which another look sees as held. */
export function lookAtLifeLock(path: string): LifeLock {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDWR | wary)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none'
    throw error
  }
  try {
    return native.tryLock(fd) ? 'free' : 'held'
  } finally {
    closeSync(fd)
  }
}
