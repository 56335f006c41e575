import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative } from 'node:path'
import { BoxError } from '../../machines/index.ts'
import { makeDirectory } from '../home-directory.ts'
import { storageError } from '../storage-error.ts'

/** Checks that a home is there to be repaired, and makes the directory of the new one. Gives whether it was made. */
export function preparePlaces(home: string, target: string): { readonly isNew: boolean } {
  if (!isAbsolute(home) || !isDirectory(join(home, 'ledger')))
    throw invalid('home', `There is no home with a ledger in ${home}`)
  if (!isAbsolute(target)) throw invalid('target', `The target ${target} is not an absolute path`)
  if (isWithin(realPathOf(target), realpathSync(home)))
    throw invalid(
      'target',
      `The target ${target} lies in the home that is to be repaired, which stays as it is`,
    )
  const isNew = !exists(target)
  if (!isNew && (!isDirectory(target) || readdirSync(target).length > 0))
    throw invalid('target', `The target ${target} is there already, and is not an empty directory`)
  try {
    makeDirectory(target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'ENOENT')
      throw invalid('target', `The target ${target} cannot be a directory`, error)
    throw storageError(error, `Making the target ${target}`)
  }
  return { isNew }
}

function invalid(field: string, message: string, cause?: unknown): BoxError {
  return new BoxError('INVALID_ARGUMENT', message, { details: { field }, cause })
}

function exists(path: string): boolean {
  return statOf(path) !== undefined
}

function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw storageError(error, `Looking at ${path}`)
  }
}

/** Also of a path that is not there yet. */
function realPathOf(path: string): string {
  if (exists(path) || dirname(path) === path) return realpathSync(path)
  return join(realPathOf(dirname(path)), basename(path))
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}
