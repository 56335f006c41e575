import { lstat, readdir, realpath, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError } from '../../../machines/index.ts'
import { makeOwnFile } from '../../files/own-file.ts'
import { runTool } from '../host-tool.ts'
import { ImageError, systemCode, throwIfAborted } from '../image-error.ts'
import { sync } from '../synced.ts'

/** A directory that holds a root file system, to be made a disk of. */
export interface RootSpec {
  /** absolute path of the directory, or `builtin` */
  readonly root: string
  /** size of the file system in `MiB`; default: what it holds and 1 GiB */
  readonly sizeMib?: number | undefined
}

const mib = 1 << 20
const block = 4096
/** Room for a guest to grow, in `MiB`. */
const defaultRoomMib = 1024
/** One inode for so many `bytes`, as mke2fs has it, and for what is there already. */
const bytesPerInode = 16_384

/**
 * Makes a disk with an ext4 file system that holds what a directory holds: owners, modes, links and devices are as they
 * are there, but the root directory is root's. The file has holes where nothing is.
 *
 * @throws BoxError INVALID_ARGUMENT or NOT_FOUND, naming the field; ImageError UNSUPPORTED without mke2fs, NO_SPACE, ABORTED
 */
export async function makeRootDisk(
  { root, sizeMib }: RootSpec,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { bytes, entries } = await measure(root, signal)
  // Beside the contents there are inodes, bitmaps and a journal.
  const neededMib = Math.ceil((bytes * 1.03) / mib) + 16
  const size = (sizeMib ?? neededMib + defaultRoomMib) * mib
  const inodes = Math.ceil(size / bytesPerInode) + Math.ceil(entries * 1.2)
  await makeOwnFile(to).then(file => file.close())
  await truncate(to, size)
  const args = [
    ...['-q', '-F', '-t', 'ext4', '-m', '1', '-N', String(inodes), '-E', 'root_owner=0:0'],
    ...['-d', await realpath(root), to],
  ]
  try {
    await runTool({ command: 'mke2fs', args, package: 'e2fsprogs', signal })
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'BOOT_FAILED') throw error
    if (/could not allocate|too big|too small|not enough space/i.test(error.message))
      throw tooSmall(root, neededMib, error)
    throw invalid('root', `${root} could not be made a disk of: ${error.message}`, error)
  }
  await sync(to)
}

/** Looks at a directory that is to be made a disk of; it must not hold `outside`, which the disk becomes a part of. */
export async function checkRoot(root: string, outside: string): Promise<void> {
  try {
    const [path, home] = [await realpath(root), await realpath(outside)]
    if (!(await lstat(path)).isDirectory()) throw invalid('root', `${root} is not a directory`)
    if ((await readdir(path)).length === 0) throw invalid('root', `${root} is empty`)
    if (path === '/' || home === path || home.startsWith(`${path}/`))
      throw invalid('root', `${root} holds the home of the image itself`)
  } catch (error) {
    throw BoxError.is(error) ? error : unreadable(root, root, error)
  }
}

interface Measures {
  /** room that it takes: of a file with several names once, and without its holes */
  bytes: number
  entries: number
}

async function measure(root: string, signal: AbortSignal | undefined): Promise<Measures> {
  const found: Measures = { bytes: 0, entries: 0 }
  const left = [root]
  const shared = new Set<string>()
  for (let dir = left.pop(); dir !== undefined; dir = left.pop()) {
    throwIfAborted(signal, `looking at ${root}`)
    try {
      for (const entry of await readdir(dir, { withFileTypes: true })) {
        const path = join(dir, entry.name)
        found.entries += 1
        if (entry.isDirectory()) left.push(path)
        const { blocks, nlink, dev, ino } = await lstat(path)
        if (!entry.isDirectory() && nlink > 1) {
          if (shared.has(`${dev} ${ino}`)) continue
          shared.add(`${dev} ${ino}`)
        }
        found.bytes += Math.max(block, blocks * 512)
      }
    } catch (error) {
      throw unreadable(root, dir, error)
    }
  }
  return found
}

function unreadable(root: string, path: string, error: unknown): BoxError {
  if (path === root && ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? ''))
    return new BoxError('NOT_FOUND', `root: there is no directory ${root}`, {
      details: { field: 'root', path: root },
      cause: error,
    })
  const why = error instanceof Error ? error.message : String(error)
  return invalid('root', `${path} cannot be read: ${why}`, error)
}

function tooSmall(root: string, neededMib: number, cause?: unknown): BoxError {
  return invalid('sizeMib', `what ${root} holds needs about ${neededMib} MiB`, cause)
}

function invalid(field: string, why: string, cause?: unknown): BoxError {
  return new BoxError('INVALID_ARGUMENT', `${field}: ${why}`, { details: { field }, cause })
}
