import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Boundary } from '../../machines/index.ts'
import { copyLargeFile } from './copy-file.ts'
import { asImageError, ImageError, systemCode, throwIfAborted } from './image-error.ts'
import { sync } from './synced.ts'

/** Name of a disk that a box has for itself, in its directory of disks and in its snapshots. */
export type DiskName = `${string}.img`

const pattern = /^(?:root|disk-\d{1,4})\.img$/

export function isDiskName(name: unknown): name is DiskName {
  return typeof name === 'string' && pattern.test(name)
}

/** A disk that a box has for itself, and what it is a copy of. */
export interface OwnDisk {
  readonly name: DiskName
  readonly from: string
  /** `boxes/<id>/disks/<name>` */
  readonly to: string
}

export interface OwnDiskOptions {
  /** number of the incarnation that starts with it */
  readonly incarnation: number
  readonly boundary: Boundary
  readonly signal: AbortSignal
}

const drafted = '.draft-'

/**
 * Makes a box's own disk, once: one that is there stays as it is. It appears whole or not at all.
 *
 * @throws ImageError NO_SPACE, ABORTED, or BOOT_FAILED
 */
export async function makeOwnDisk(
  { from, to }: OwnDisk,
  { incarnation, boundary, signal }: OwnDiskOptions,
): Promise<void> {
  try {
    if (await isThere(to)) return
    const dir = dirname(to)
    // One whose start was given up may still be at its own draft, and may fail there.
    const draft = `${to}${drafted}${incarnation}`
    throwIfAborted(signal, 'making a disk')
    await mkdir(dir, { recursive: true, mode: 0o700 })
    for (const name of await readdir(dir))
      if (name.startsWith(`${basename(to)}${drafted}`)) await rm(join(dir, name), { force: true })
    boundary('before copying a disk')
    try {
      await copyLargeFile(from, draft, { signal })
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
    boundary('after copying a disk')
    boundary('before naming a disk')
    await rename(draft, to)
    await sync(dir)
    boundary('after naming a disk')
  } catch (error) {
    throw asImageError(error, `making the box's own ${basename(to)} from ${from}`)
  }
}

/** What a VMM may have put in its place is no disk, and is not followed. */
export async function isThere(path: string): Promise<boolean> {
  try {
    const found = await lstat(path)
    if (found.isFile()) return true
    throw new ImageError('BOOT_FAILED', `${path} is not a file`, { path })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
