import { randomUUID } from 'node:crypto'
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Boundary, BoxError } from '../../../machines/index.ts'
import { isOwnDirectory } from '../../files/own-file.ts'
import { systemCode } from '../image-error.ts'
import { sync } from '../synced.ts'
import { adding, namedDir, removing } from './manifest.ts'

/**
 * Removes an image that nobody uses. Its name is free at once, within the same turn in which it is called, so that
 * whoever has just looked for its users has seen all of them.
 *
 * @throws BoxError INVALID_ARGUMENT for a name of the built-in guest's, NOT_FOUND
 */
export async function removeImage(dir: string, name: string, boundary: Boundary): Promise<void> {
  const path = namedDir(dir, name)
  const left = join(dir, `${removing}${randomUUID()}`)
  if (!isOwnDirectory(path)) throw imageNotFound(name)
  boundary('before unnaming an image')
  renameSync(path, left)
  await sync(dir)
  boundary('after unnaming an image')
  boundary('before deleting an image')
  await rm(left, { recursive: true, force: true })
  boundary('after deleting an image')
}

/**
 * Deletes what an adding or a removal that was cut off has left. For the owner of a home, before it adds any: a directory
 * of images that others share, by a link, is let alone.
 */
export function removeImageLeftovers(dir: string, boundary: Boundary): void {
  if (!isOwnDirectory(dir)) return
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(adding) && !name.startsWith(removing)) continue
    boundary('before removing an image that was left')
    try {
      rmSync(join(dir, name), { recursive: true, force: true })
    } catch (error) {
      // It only takes room, and the next owner tries again: no reason to keep a home closed.
      if (systemCode(error) === undefined) throw error
    }
    boundary('after removing an image that was left')
  }
}

export function imageNotFound(name: string): BoxError {
  return new BoxError('NOT_FOUND', `There is no image ${name}`, { details: { image: name } })
}
