import { constants, lstatSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/**
 * Files of a run directory are written by a VMM, whose guest may have broken out of it: a link that leads elsewhere, a
 * pipe that never gives anything, or a device in a file's place is not followed, waited for or written to.
 */

/** For opening what others may have put there: neither followed nor waited for. */
export const wary = constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What is there is no file; `code` is `ELOOP`, as of a link that is not followed. */
export class NotAFile extends Error {
  readonly code = 'ELOOP'

  constructor(path: string) {
    super(`${path} is not a file`)
  }
}

/** Opens a regular file, to read or, with `r+`, to write too; undefined if there is none. Throws {@link NotAFile}. */
export async function openOwnFile(path: string, mode: 'r' | 'r+' = 'r'): Promise<FileHandle | undefined> {
  const access = mode === 'r' ? constants.O_RDONLY : constants.O_RDWR
  let file: FileHandle
  try {
    file = await open(path, access | wary)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    // ENXIO: a socket; EISDIR: a directory.
    if (code === 'ELOOP' || code === 'ENXIO' || code === 'EISDIR') throw new NotAFile(path)
    throw error
  }
  try {
    if ((await file.stat()).isFile()) return file
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  throw new NotAFile(path)
}

/** A file that must not be there yet, for this user alone. */
export function makeOwnFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | wary, 0o600)
}

/** Whether a directory is one itself, and no link to one; false if there is nothing. */
export function isOwnDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
