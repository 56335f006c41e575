import { randomUUID } from 'node:crypto'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Boundary, namePattern } from '../../machines/index.ts'
import { isOwnDirectory } from '../files/own-file.ts'
import { systemCode } from '../images/image-error.ts'
import { sync } from '../images/synced.ts'
import { making, removing, templatesDir, templatesOf } from './place.ts'

/** Removes all templates of an image; fine if there are none. */
export async function removeTemplates(home: string, image: string, boundary: Boundary): Promise<void> {
  await setAside(home, templatesOf(home, image), boundary)
}

/** Takes a template, or all of an image, out of use, and deletes it; a box that is being started of it has its files. */
export async function setAside(home: string, path: string, boundary: Boundary): Promise<void> {
  if (!isOwnDirectory(path)) return
  const left = join(templatesDir(home), `${removing}${randomUUID()}`)
  boundary('before setting a template aside')
  await rename(path, left)
  await sync(templatesDir(home))
  boundary('after setting a template aside')
  boundary('before deleting a template')
  await rm(left, { recursive: true, force: true })
  boundary('after deleting a template')
}

/**
 * Deletes what a making or a removal that was cut off has left, and templates whose image is gone. For the owner of a home,
 * before it makes any: a directory of images that others share, by a link, is let alone.
 */
export function removeTemplateLeftovers(home: string, boundary: Boundary): void {
  const images = join(home, 'images')
  const all = templatesDir(home)
  if (!isOwnDirectory(images) || !isOwnDirectory(all)) return
  for (const name of readdirSync(all)) {
    const isLeft = name.startsWith(making) || name.startsWith(removing)
    if (!isLeft && !isOrphan(images, name)) continue
    boundary('before removing an image that was left')
    try {
      rmSync(join(all, name), { recursive: true, force: true })
    } catch (error) {
      // It only takes room, and the next owner tries again: no reason to keep a home closed.
      if (systemCode(error) === undefined) throw error
    }
    boundary('after removing an image that was left')
  }
}

/** The removal of its image was cut off in between. What cannot be looked at is not gone. */
function isOrphan(images: string, name: string): boolean {
  if (name === 'builtin' || !namePattern.test(name)) return false
  return lstatSync(join(images, name), { throwIfNoEntry: false }) === undefined
}
