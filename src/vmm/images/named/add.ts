import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { access, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Boundary, BoxError, type ImageSpec } from '../../../machines/index.ts'
import { copyLargeFile } from '../copy-file.ts'
import { systemCode } from '../image-error.ts'
import { sync, writeSynced } from '../synced.ts'
import {
  adding,
  isTaken,
  type Manifest,
  manifestFile,
  namedDir,
  readManifest,
  type StoredDisk,
  type StoredFile,
} from './manifest.ts'
import { checkRoot, makeRootDisk, type RootSpec } from './root-disk.ts'

export interface AddImageOptions {
  /** the home's `images/`; made if it is missing */
  readonly dir: string
  readonly name: string
  readonly spec: ImageSpec | RootSpec
  /** in `ms since 1970` */
  readonly now: number
  /** the same one again finds its work done */
  readonly request?: string | undefined
  readonly boundary: Boundary
  readonly signal?: AbortSignal | undefined
}

/**
 * Copies a guest's files into a home, under a name, or makes a disk of a directory. The image is there as a whole or not at all.
 *
 * @throws BoxError INVALID_ARGUMENT or NOT_FOUND, naming the field, NAME_TAKEN; ImageError for what copying ends with
 */
export async function addImage(options: AddImageOptions): Promise<Manifest> {
  const { dir, name, spec, request, boundary } = options
  const path = namedDir(dir, name)
  const isOwn = async () => {
    const found = await readManifest(dir, name).catch(() => undefined)
    return found !== undefined && request !== undefined && found.request === request ? found : undefined
  }
  if (await isTaken(path)) {
    const own = await isOwn()
    if (own !== undefined) return own
    throw nameTaken(name)
  }
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await ('root' in spec ? checkRoot(spec.root, dir) : checkSources(spec))
  boundary('before staging an image')
  const draft = await mkdtemp(join(dir, adding))
  try {
    const manifest = await stage(draft, options)
    boundary('after staging an image')
    boundary('before naming an image')
    await rename(draft, path).catch((error: unknown) => {
      const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')
      throw isTaken ? nameTaken(name) : error
    })
    await sync(dir)
    boundary('after naming an image')
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function stage(draft: string, { spec, now, request, signal }: AddImageOptions): Promise<Manifest> {
  const added = {
    format: 1,
    addedAt: new Date(now).toISOString(),
    ...(request === undefined ? {} : { request }),
  } as const
  const manifest: Manifest =
    'root' in spec
      ? { ...added, kind: 'root', root: await storeRoot(draft, spec, signal) }
      : { ...added, kind: 'files', ...(await storeFiles(draft, spec, signal)) }
  await writeSynced(join(draft, manifestFile), Buffer.from(`${JSON.stringify(manifest)}\n`))
  await sync(draft)
  return manifest
}

async function storeRoot(
  draft: string,
  spec: RootSpec,
  signal: AbortSignal | undefined,
): Promise<StoredFile> {
  await makeRootDisk(spec, join(draft, 'root'), signal)
  return stored(draft, 'root', signal)
}

async function storeFiles(draft: string, spec: ImageSpec, signal: AbortSignal | undefined) {
  const store = async (from: string, file: string): Promise<StoredFile> => {
    await copyLargeFile(from, join(draft, file), { signal })
    return stored(draft, file, signal)
  }
  const kernel = await store(spec.kernel, 'kernel')
  const initramfs = spec.initramfs === undefined ? undefined : await store(spec.initramfs, 'initramfs')
  const disks: StoredDisk[] = []
  for (const [n, { path, format = 'raw', readonly = false }] of (spec.disks ?? []).entries())
    disks.push({ ...(await store(path, `disk-${n}`)), format, readonly })
  return {
    kernel,
    ...(initramfs === undefined ? {} : { initramfs }),
    ...(spec.cmdline === undefined ? {} : { cmdline: spec.cmdline }),
    agent: spec.agent ?? false,
    disks,
  }
}

async function stored(draft: string, file: string, signal: AbortSignal | undefined): Promise<StoredFile> {
  const path = join(draft, file)
  return { file, bytes: (await stat(path)).size, sha256: await hashOf(path, signal) }
}

async function hashOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  const bytes = createReadStream(path, {
    highWaterMark: 1 << 20,
    ...(signal === undefined ? {} : { signal }),
  })
  for await (const piece of bytes) hash.update(piece)
  return hash.digest('hex')
}

async function checkSources({ kernel, initramfs, disks = [] }: ImageSpec): Promise<void> {
  await checkSource('kernel', kernel)
  if (initramfs !== undefined) await checkSource('initramfs', initramfs)
  for (const [n, { path }] of disks.entries()) await checkSource(`disks.${n}.path`, path)
}

async function checkSource(field: string, path: string): Promise<void> {
  const details = { field, path }
  try {
    await access(path, constants.R_OK)
    const found = await stat(path)
    if (!found.isFile())
      throw new BoxError('INVALID_ARGUMENT', `${field}: ${path} is not a file`, { details })
    if (found.size === 0) throw new BoxError('INVALID_ARGUMENT', `${field}: ${path} is empty`, { details })
  } catch (error) {
    if (BoxError.is(error)) throw error
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      throw new BoxError('NOT_FOUND', `${field}: there is no ${path}`, { details, cause: error })
    const why = error instanceof Error ? error.message : String(error)
    throw new BoxError('INVALID_ARGUMENT', `${field}: ${path} cannot be read: ${why}`, {
      details,
      cause: error,
    })
  }
}

function nameTaken(name: string): BoxError {
  return new BoxError('NAME_TAKEN', `There is an image ${name} already`, { details: { image: name } })
}
