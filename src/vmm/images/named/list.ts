import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { namePattern } from '../../../machines/index.ts'
import { isOwnDirectory } from '../../files/own-file.ts'
import { ImageError, systemCode } from '../image-error.ts'
import { filesOf, isBuiltin, type Manifest, readManifest } from './manifest.ts'

/** An image as it lies in a home. */
export interface FoundImage {
  readonly name: string
  /** `damaged`: it cannot be read, and has to be removed and added again; `newer`: a newer boxledger has added it */
  readonly kind: Manifest['kind'] | 'builtin' | 'damaged' | 'newer'
  /** length of its files; a file with holes takes less of the disk */
  readonly bytes: number
  /** ISO time; absent where it is not known, and of the built-in one while it is not made */
  readonly addedAt?: string
}

/** The built-in image, made or not, and those that were added, by name. */
export async function listImages(dir: string): Promise<FoundImage[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  const found: FoundImage[] = [await builtinImage(dir, names.filter(isBuiltin))]
  for (const name of names.sort()) {
    if (!namePattern.test(name) || isBuiltin(name) || !isOwnDirectory(join(dir, name))) continue
    found.push(await namedImage(dir, name))
  }
  return found
}

async function namedImage(dir: string, name: string): Promise<FoundImage> {
  try {
    const manifest = await readManifest(dir, name)
    if (manifest === undefined) return { name, kind: 'damaged', bytes: 0 }
    const { kind, addedAt } = manifest
    return { name, kind, bytes: filesOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0), addedAt }
  } catch (error) {
    if (error instanceof ImageError)
      return { name, kind: error.code === 'FORMAT_UNSUPPORTED' ? 'newer' : 'damaged', bytes: 0 }
    throw error
  }
}

/** There may be several: for each version of boxledger, and of the kernel, that the home has seen. */
async function builtinImage(dir: string, caches: readonly string[]): Promise<FoundImage> {
  let bytes = 0
  let newest: number | undefined
  for (const cache of caches) {
    for (const file of await readdir(join(dir, cache))) {
      const found = await stat(join(dir, cache, file))
      bytes += found.size
      newest = Math.max(newest ?? 0, found.mtimeMs)
    }
  }
  const addedAt = newest === undefined ? {} : { addedAt: new Date(newest).toISOString() }
  return { name: 'builtin', kind: 'builtin', bytes, ...addedAt }
}
