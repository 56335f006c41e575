import { chmod, lstat, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError } from '../../../machines/index.ts'

/** What a copy to a place makes: an entry of a directory that is there, or what has that name. */
export async function finalPath(to: string, name: string): Promise<string> {
  if (to.endsWith('/')) return join(to, name)
  // A link there may be the guest's, from an earlier copy: it is replaced, and not followed.
  const isDirectory = await lstat(to).then(
    found => found.isDirectory(),
    () => false,
  )
  return isDirectory ? join(to, name) : to
}

/**
 * Gives something that is whole its final name, within one file system. Into a directory that is there already goes each
 * file by itself.
 */
export async function putInPlace(made: string, final: string): Promise<void> {
  const { mode, isDirectory } = await kindOf(made)
  const there = await lstat(final).catch(() => undefined)
  if (there !== undefined && there.isDirectory() !== isDirectory)
    throw new BoxError(
      'INVALID_ARGUMENT',
      `${final} is a directory where a file is, or the other way round`,
      {
        details: { path: final },
      },
    )
  if (there === undefined || !isDirectory) {
    // A directory is written to when it gets another parent.
    const isClosed = isDirectory && (mode & 0o200) === 0
    if (isClosed) await chmod(made, mode | 0o700)
    await rename(made, final)
    if (isClosed) await chmod(final, mode)
    return
  }
  for (const name of await readdir(made)) await putInPlace(join(made, name), join(final, name))
}

async function kindOf(path: string) {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined)
    throw new BoxError('INVALID_ARGUMENT', 'What was asked for is neither file nor directory nor link', {
      details: { path },
    })
  return { mode: found.mode & 0o7777, isDirectory: found.isDirectory() }
}
