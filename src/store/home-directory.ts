import { chmodSync, existsSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { BoxError } from '../machines/index.ts'
import { storageError } from './storage-error.ts'

/** The home is its owner's alone: 0700. */
const isPrivate = ({ mode }: Stats) => (mode & 0o077) === 0

/** What a disk does to anybody who writes; everything else is wrong with the path. */
const failuresOfDisks: ReadonlySet<unknown> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
])

/**
 * Makes the directory of a home if it is missing, and sees to it that nobody else may enter. Throws `INVALID_ARGUMENT`
 * if it cannot be one.
 */
export function makeHome(home: string): void {
  if (typeof home !== 'string' || home.includes('\0')) throw invalid(home, 'is not a path')
  if (!isAbsolute(home)) throw invalid(home, 'is not an absolute path')
  let found: Stats
  try {
    makeDirectory(home)
    found = statSync(home)
  } catch (error) {
    throw refusal(home, error)
  }
  if (!found.isDirectory()) throw invalid(home, 'is not a directory')
  if (!isPrivate(found)) close(home)
}

/** Makes a directory and those above it. Node's own way never ends where the kernel makes none, as in /proc. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeDirectory(dirname(path))
    makeDirectory(path)
  }
}

/** A directory that is in use for something else as well, such as /tmp, is not taken from others. */
function close(home: string): void {
  try {
    if (!isHome(home) && readdirSync(home).length > 0)
      throw invalid(
        home,
        'is open to other users and holds other files. Choose another, or close it (chmod 700)',
      )
    chmodSync(home, 0o700)
  } catch (error) {
    throw BoxError.is(error) ? error : refusal(home, error)
  }
}

function isHome(path: string): boolean {
  return existsSync(join(path, 'lock')) || existsSync(join(path, 'ledger'))
}

function refusal(home: string, error: unknown): BoxError {
  const { code, message } = error as NodeJS.ErrnoException
  if (failuresOfDisks.has(code)) return storageError(error, `Making the home ${home}`)
  if (code === 'ENOTDIR' || code === 'EEXIST') return invalid(home, 'is not a directory', error)
  return invalid(home, `cannot be made or used: ${message}`, error)
}

function invalid(home: unknown, why: string, cause?: unknown): BoxError {
  return new BoxError('INVALID_ARGUMENT', `The home ${String(home)} ${why}`, {
    details: { field: 'home' },
    cause,
  })
}
