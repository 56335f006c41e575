/**
 * Images that were added to a home under a name. One directory each, which appears by one rename, after everything in it
 * has been synced, and leaves by one:
 *
 *     images/NAME/{image.json, kernel, initramfs, disk-0, …}, or {image.json, root}
 *     images/.adding-XXXXXX/        one that is being added, or the remains of that
 *     images/.removing-XXXXXX/      the same of one that is being removed
 *
 * `builtin` and all that begins with `builtin-` are the built-in guest's, see image-cache.ts.
 */
import { lstat, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError, namePattern, quoted } from '../../../machines/index.ts'
import { ImageError, systemCode } from '../image-error.ts'

export const manifestFile = 'image.json'
export const adding = '.adding-'
export const removing = '.removing-'

export interface StoredFile {
  /** name in the image's directory */
  readonly file: string
  readonly bytes: number
  /** in hexadecimal */
  readonly sha256: string
}

export interface StoredDisk extends StoredFile {
  readonly format: 'raw' | 'qcow2'
  /** all boxes have the image's own; else each has a copy */
  readonly readonly: boolean
}

interface Added {
  readonly format: 1
  /** ISO time */
  readonly addedAt: string
  /** of whoever asked for it, so that the same request is carried out once */
  readonly request?: string
}

/** A guest of somebody else's. */
export interface FilesManifest extends Added {
  readonly kind: 'files'
  readonly kernel: StoredFile
  readonly initramfs?: StoredFile
  readonly cmdline?: string
  readonly agent: boolean
  readonly disks: readonly StoredDisk[]
}

/** A disk with a root file system, booted by the built-in kernel and our init. */
export interface RootManifest extends Added {
  readonly kind: 'root'
  readonly root: StoredFile
}

/** `image.json` of an image. */
export type Manifest = FilesManifest | RootManifest

/** Directory of a named image; INVALID_ARGUMENT for what is no name that may be given. */
export function namedDir(dir: string, name: string): string {
  if (typeof name !== 'string' || !namePattern.test(name)) throw invalid(name, 'is no name of an image')
  if (isBuiltin(name)) throw invalid(name, "is a name of the built-in guest's")
  return join(dir, name)
}

export function isBuiltin(name: string): boolean {
  return name === 'builtin' || name.startsWith('builtin-')
}

/**
 * Undefined if there is no image of that name.
 *
 * @throws ImageError FORMAT_UNSUPPORTED for one that a newer version has added, BOOT_FAILED for one that is damaged
 */
export async function readManifest(dir: string, name: string): Promise<Manifest | undefined> {
  if (!namePattern.test(name) || isBuiltin(name)) return undefined
  const path = join(dir, name, manifestFile)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw damaged(name, `${path} cannot be read (${systemCode(error)})`, error)
  }
  try {
    const found: unknown = JSON.parse(text)
    if (isManifest(found)) return found
    if (isNewer(found)) throw newer(name, path)
  } catch (error) {
    if (error instanceof ImageError) throw error
    throw damaged(name, `${path} is no JSON`, error)
  }
  throw damaged(name, `${path} is not what this version writes`)
}

/** All files of an image. */
export function filesOf(manifest: Manifest): readonly StoredFile[] {
  if (manifest.kind === 'root') return [manifest.root]
  const { kernel, initramfs, disks } = manifest
  return [kernel, ...(initramfs === undefined ? [] : [initramfs]), ...disks]
}

/** Throws ImageError BOOT_FAILED if a file is missing, or has not the size it was added with. */
export async function checkSizes(dir: string, name: string, manifest: Manifest): Promise<void> {
  for (const { file, bytes } of filesOf(manifest)) {
    const path = join(dir, name, file)
    const size = await stat(path).then(
      found => found.size,
      (error: unknown) => {
        throw damaged(name, `${path} cannot be looked at (${systemCode(error)})`, error)
      },
    )
    if (size !== bytes) throw damaged(name, `${path} has ${size} bytes and was added with ${bytes}`)
  }
}

/** Whether there is anything of that name. */
export async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

function newer(name: string, path: string): ImageError {
  const message = `The image ${name} was added by a newer version of boxledger (${path}). Use that, or one as new.`
  return new ImageError('FORMAT_UNSUPPORTED', message, { image: name })
}

function damaged(name: string, why: string, cause?: unknown): ImageError {
  const message = `The image ${name} is damaged: ${why}. Remove it, and add it again.`
  return new ImageError('BOOT_FAILED', message, { image: name }, cause)
}

function invalid(name: unknown, why: string): BoxError {
  return new BoxError('INVALID_ARGUMENT', `${quoted(name)} ${why}`, { details: { field: 'name' } })
}

function isNewer(value: unknown): boolean {
  return isObject(value) && typeof value.format === 'number' && value.format > 1
}

function isManifest(value: unknown): value is Manifest {
  if (!isObject(value)) return false
  const { format, kind, addedAt, kernel, initramfs, cmdline, agent, disks, root } = value
  if (format !== 1 || typeof addedAt !== 'string') return false
  if (kind === 'root') return isStored(root)
  return (
    kind === 'files' &&
    isStored(kernel) &&
    (initramfs === undefined || isStored(initramfs)) &&
    (cmdline === undefined || typeof cmdline === 'string') &&
    typeof agent === 'boolean' &&
    Array.isArray(disks) &&
    disks.every(isStoredDisk)
  )
}

/** A file's name becomes a part of paths. */
function isStored(value: unknown): value is StoredFile {
  if (!isObject(value)) return false
  const { file, bytes, sha256 } = value
  return (
    typeof file === 'string' &&
    /^[a-z][a-z0-9.-]{0,30}$/.test(file) &&
    Number.isSafeInteger(bytes) &&
    typeof sha256 === 'string'
  )
}

function isStoredDisk(value: unknown): value is StoredDisk {
  if (!isStored(value)) return false
  const { format, readonly } = value as Partial<StoredDisk>
  return (format === 'raw' || format === 'qcow2') && typeof readonly === 'boolean'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
