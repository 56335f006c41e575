/**
 * Finished images in a home. One directory each, whose name tells what it was made by and from, with a manifest that
 * is written last; the directory appears under its name by one rename, after everything in it has been synced:
 *
 *     images/<recipe>-<kernel version>/{vmlinux, initramfs.cpio, image.json}
 *     images/.making-XXXXXX/                 a build under way, or the remains of one
 */
import { mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asImageError, systemCode } from './image-error.ts'
import { sync, writeSynced } from './synced.ts'

/** A guest's files, ready to be started. */
export interface Image {
  /** Path of the uncompressed kernel */
  readonly kernel: string
  /** Path of the first file system, an uncompressed cpio archive */
  readonly initramfs: string
  /** Version of the Debian package the kernel is from */
  readonly kernelVersion: string
}

const making = '.making-'
const files = { kernel: 'vmlinux', initramfs: 'initramfs.cpio', manifest: 'image.json' } as const

interface Manifest {
  readonly kernelVersion: string
  readonly kernelBytes: number
  readonly initramfsBytes: number
}

/** The image made by this recipe, the last by name if there are several; undefined if there is none that is whole. */
export async function findImage(dir: string, recipe: string): Promise<Image | undefined> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw asImageError(error, `looking for images in ${dir}`)
  })
  const byVersion = new Intl.Collator('en', { numeric: true })
  const found = names.filter(name => name.startsWith(`${recipe}-`)).sort(byVersion.compare)
  for (const name of found.reverse()) {
    const image = await readImage(join(dir, name))
    if (image !== undefined) return image
  }
  return undefined
}

/** A new directory to build in. Hold the build lock: what an ended build left behind is removed. */
export async function openWorkplace(dir: string): Promise<string> {
  for (const name of await readdir(dir)) {
    if (name.startsWith(making)) await rm(join(dir, name), { recursive: true, force: true })
  }
  return mkdtemp(join(dir, making))
}

export interface NewImage {
  readonly kernel: Uint8Array
  readonly initramfs: Uint8Array
  readonly kernelVersion: string
}

/** Stores a finished image durably. If somebody else has just stored the same, theirs is used. */
export async function storeImage(
  dir: string,
  recipe: string,
  workplace: string,
  made: NewImage,
): Promise<Image> {
  const draft = await mkdtemp(join(workplace, 'image-'))
  await writeSynced(join(draft, files.kernel), made.kernel)
  await writeSynced(join(draft, files.initramfs), made.initramfs)
  const manifest: Manifest = {
    kernelVersion: made.kernelVersion,
    kernelBytes: made.kernel.length,
    initramfsBytes: made.initramfs.length,
  }
  await writeSynced(join(draft, files.manifest), Buffer.from(`${JSON.stringify(manifest)}\n`))
  await sync(draft)

  const path = join(dir, `${recipe}-${made.kernelVersion.replace(/[^A-Za-z0-9.+-]/g, '_')}`)
  for (let last = false; ; last = true) {
    try {
      await rename(draft, path)
      await sync(dir)
      break
    } catch (error) {
      const taken = ['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')
      if (taken && (await readImage(path)) !== undefined) break
      if (!taken || last) throw error
      // There, but not whole: it was damaged after it had been stored.
      await rename(path, join(workplace, 'damaged'))
    }
  }
  const stored = await readImage(path)
  if (stored === undefined) throw new Error(`${path} vanished`)
  return stored
}

/** A stored image, undefined if any part of it is missing or has not the size it was stored with. */
async function readImage(path: string): Promise<Image | undefined> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(path, files.manifest), 'utf8'))
    if (!isManifest(manifest)) return undefined
    const kernel = join(path, files.kernel)
    const initramfs = join(path, files.initramfs)
    const whole =
      (await stat(kernel)).size === manifest.kernelBytes &&
      (await stat(initramfs)).size === manifest.initramfsBytes
    return whole ? { kernel, initramfs, kernelVersion: manifest.kernelVersion } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      return undefined
    throw asImageError(error, `reading the image ${path}`)
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false
  const { kernelVersion, kernelBytes, initramfsBytes } = value as Partial<Record<keyof Manifest, unknown>>
  return (
    typeof kernelVersion === 'string' && typeof kernelBytes === 'number' && typeof initramfsBytes === 'number'
  )
}
