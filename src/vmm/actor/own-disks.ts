import { join } from 'node:path'
import { BoxError, isTemplate, type Origin, snapshotsOf } from '../../machines/index.ts'
import { disksDir } from '../files/paths.ts'
import { isThere, makeOwnDisk, type OwnDisk, type OwnDiskOptions } from '../images/own-disk.ts'
import { settleDisks, stageDisks } from '../images/restored-disks.ts'
import type { Choice } from '../templates/fit.ts'
import type { Incarnation } from './incarnation.ts'
import { guestFor } from './needs.ts'
import { readOrigin } from './origin.ts'

/**
 * Makes ready the disks that the box has for itself: copies of those of its image, or of what it begins with. A clone has
 * its own from the start; a disk that the box has already stays until a VMM is there that will have the snapshot.
 */
export async function prepareDisks(
  box: Incarnation,
  { template }: Choice,
  options: OwnDiskOptions,
): Promise<void> {
  const { home, box: id } = box.input
  const { ownDisks = [] } = await guestFor(box, options.signal)
  const dir = disksDir(home, id)
  await settleDisks(dir, options.boundary)
  if (ownDisks.length === 0) return
  const origin = template ?? snapshotsOf(box.context).origin
  if (origin === null) {
    for (const disk of ownDisks) await makeOwnDisk(disk, options)
    return
  }
  const late: OwnDisk[] = []
  for (const disk of await savedFor(box, origin, ownDisks))
    if (isTemplate(origin) || (await isThere(disk.to))) late.push(disk)
    else await makeOwnDisk(disk, options)
  if (late.length > 0) await stageDisks(dir, late, options)
}

/** The box's own disks, to be made of those that were saved. */
async function savedFor(box: Incarnation, origin: Origin, ownDisks: readonly OwnDisk[]): Promise<OwnDisk[]> {
  const { dir, disks, what, details } = await readOrigin(box, origin)
  const wanted = ownDisks.map(({ name }) => name)
  const isSame = wanted.length === disks.length && wanted.every(name => disks.includes(name))
  if (!isSame)
    throw new BoxError(
      'UNSUPPORTED',
      `${what} has the disks ${disks.join(', ') || 'none'}, and the image now gives its boxes ${wanted.join(', ')}`,
      { details },
    )
  return ownDisks.map(disk => ({ ...disk, from: join(dir, disk.name) }))
}
