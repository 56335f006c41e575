/**
 * How a box's own disks become those of a snapshot, all of them or none. In `boxes/ID/disks/`:
 *
 *     NAME.img          a disk of the box
 *     .restoring-N/     copies for incarnation N, being made or complete; of no account yet
 *     .restored/        complete, and the box's disks from when they have this name; each is still to take its place
 *
 * The slow part is done before there is a VMM, and the quick one when the VMM is known to be one that reads the snapshot.
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Boundary } from '../../machines/index.ts'
import { isOwnDirectory } from '../files/own-file.ts'
import { copyLargeFile } from './copy-file.ts'
import { asImageError } from './image-error.ts'
import type { OwnDisk, OwnDiskOptions } from './own-disk.ts'
import { sync } from './synced.ts'

const staging = '.restoring-'
const staged = '.restored'

const stagedFor = (dir: string, incarnation: number) => join(dir, `${staging}${incarnation}`)

/** Copies what the disks are to become, beside them. Throws ImageError NO_SPACE, ABORTED, or BOOT_FAILED. */
export async function stageDisks(
  dir: string,
  disks: readonly OwnDisk[],
  { incarnation, boundary, signal }: OwnDiskOptions,
): Promise<void> {
  const draft = stagedFor(dir, incarnation)
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 })
    for (const { name, from } of disks) {
      boundary('before staging a disk')
      await copyLargeFile(from, join(draft, name), { signal })
      boundary('after staging a disk')
    }
    for (const changed of [draft, dir, dirname(dir)]) await sync(changed)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw asImageError(error, 'copying the disks of a snapshot')
  }
}

/** What was staged for an incarnation becomes the box's. Done again after it was cut off it goes on where it was. */
export async function takeDisks(dir: string, incarnation: number, boundary: Boundary): Promise<void> {
  const draft = stagedFor(dir, incarnation)
  if (isOwnDirectory(draft)) {
    boundary('before taking disks')
    await rename(draft, join(dir, staged))
    await sync(dir)
    boundary('after taking disks')
  }
  await replaceDisks(dir, boundary)
}

/** Completes what was cut off, and deletes what came to nothing. No VMM of the box may live. */
export async function settleDisks(dir: string, boundary: Boundary): Promise<void> {
  if (!existsSync(dir)) return
  await replaceDisks(dir, boundary)
  for (const name of await readdir(dir))
    if (name.startsWith(staging)) {
      boundary('before removing staged disks')
      await rm(join(dir, name), { recursive: true, force: true })
      boundary('after removing staged disks')
    }
}

async function replaceDisks(dir: string, boundary: Boundary): Promise<void> {
  const from = join(dir, staged)
  if (!isOwnDirectory(from)) return
  for (const name of await readdir(from)) {
    boundary('before replacing a disk')
    await rename(join(from, name), join(dir, name))
    boundary('after replacing a disk')
  }
  await sync(dir)
  await rmdir(from)
}
