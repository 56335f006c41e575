import { isAbsolute, resolve } from 'node:path'
import * as v from 'valibot'
import type { ImageInfo, TemplateInfo } from '../engine/index.ts'
import { BoxError, type ImageSpec, quoted } from '../machines/index.ts'
import { boxEntries, signal as boxSignal, check, shapes } from './options.ts'
import { strict, whole } from './schema.ts'

/** The images of a home, by name: what `image: 'NAME'` means for its boxes. */
export interface Images {
  /** The built-in one first, the others by name. */
  list(): Promise<ImageInfo[]>
  /**
   * Copies a guest's files into the home; of a directory that holds a root file system, or of the built-in guest's own
   * files, it makes a disk, which the built-in kernel boots. Rejects with `INVALID_ARGUMENT` or `NOT_FOUND`, naming the field, with `NAME_TAKEN`,
   * `UNSUPPORTED` (a disk without mke2fs) or `NO_SPACE`; nothing is left then.
   *
   * @example
   * await runtime.images.add('mine', { kernel: './vmlinux', initramfs: './initramfs.cpio' })
   * const box = await runtime.create({ image: 'mine' })
   */
  add(name: string, image: ImageSpec | RootImageSpec, o?: AddImageOptions): Promise<void>
  /**
   * Deletes an image, and its templates. Rejects with `INVALID_STATE` while boxes use it (`details.boxes`), `NOT_FOUND`, and with
   * `INVALID_ARGUMENT` for the built-in one.
   */
  remove(name: string): Promise<void>
  /**
   * Makes the template of an image, `builtin` for the built-in guest: boxes of it that have this size and nothing of
   * their own when they boot begin with that from now on, which takes a fraction of the time. Finds its work done where
   * there is one that fits. Rejects with `NOT_FOUND`, with `UNSUPPORTED` (a guest without an agent; a
   * VMM that cannot save), and as `start` and `snapshots.create` do; nothing is left then. Who gives up
   * waiting does not end it.
   *
   * @example
   * await runtime.images.template('builtin')
   * await (await runtime.create({})).start()
   */
  template(name: string, o?: TemplateOptions): Promise<TemplateInfo>
  /** Deletes the templates of an image, so that its boxes boot again; fine if there are none. */
  removeTemplates(name: string): Promise<void>
}

/** The boxes that a template is for. */
export interface TemplateOptions {
  /** default 1 */
  readonly cpus?: number
  /** in `MiB`, default 256 */
  readonly memoryMib?: number
  readonly signal?: AbortSignal
}

/** A root file system, which becomes a disk. */
export interface RootImageSpec {
  /** a directory that holds one; or `builtin`, for what the built-in guest has (a directory of that name is `./builtin`) */
  readonly root: string
  /** size of the file system in `MiB`; default: what the directory holds and 1 GiB. Only what is in use takes room */
  readonly sizeMib?: number
}

const rootImage = strict({ root: shapes.path, sizeMib: v.optional(whole(16, 16_777_216)) })

const template = strict({ cpus: boxEntries.cpus, memoryMib: boxEntries.memoryMib, signal: boxSignal })

/** Which template is wanted, checked. */
export function checkTemplate(name: unknown, o: unknown): WantedTemplate {
  const { cpus = 1, memoryMib = 256, signal } = check(template, o, 'options')
  return { name: check(shapes.name, name, 'name'), size: { cpus, memoryMib }, signal }
}

/** The name of an image whose templates are meant, checked. */
export function checkTemplatesOf(name: unknown): string {
  return check(shapes.name, name, 'name')
}

export interface WantedTemplate {
  readonly name: string
  readonly size: { readonly cpus: number; readonly memoryMib: number }
  readonly signal: AbortSignal | undefined
}

/** In the place of a directory: the built-in guest's own files. */
const builtinRoot = 'builtin'

const isRootImage = (image: unknown) => typeof image === 'object' && image !== null && 'root' in image

export interface AddImageOptions {
  readonly signal?: AbortSignal
}

/** The name of an image that is to be added, checked. */
export function checkImageName(name: unknown): string {
  const given = check(shapes.name, name, 'name')
  if (given !== 'builtin' && !given.startsWith('builtin-')) return given
  throw new BoxError('INVALID_ARGUMENT', `name ${quoted(given)} is the built-in guest's`, {
    details: { field: 'name' },
  })
}

/** What is to be added, checked; its paths mean the same in any process. */
export function checkNewImage(image: unknown): ImageSpec | RootImageSpec {
  if (isRootImage(image)) {
    const { root, ...rest } = check(rootImage, image, 'image')
    return { ...rest, root: root === builtinRoot ? root : resolve(root) } as RootImageSpec
  }
  const { kernel, initramfs, disks, ...rest } = check(shapes.image, image, 'image')
  return {
    ...rest,
    kernel: resolve(kernel),
    ...(initramfs === undefined ? {} : { initramfs: resolve(initramfs) }),
    ...(disks === undefined ? {} : { disks: disks.map(disk => ({ ...disk, path: resolve(disk.path) })) }),
  } as ImageSpec
}

/** Refuses paths that are relative to the directory of another process than this. */
export function assertAbsoluteImage(image: unknown): void {
  for (const path of pathsOf(image))
    if (!isAbsolute(path))
      throw new BoxError('INVALID_ARGUMENT', `The path ${quoted(path)} must be absolute`, {
        details: { field: 'image' },
      })
}

function pathsOf(image: unknown): string[] {
  if (isRootImage(image)) return [check(rootImage, image, 'image').root].filter(root => root !== builtinRoot)
  const { kernel, initramfs, disks = [] } = check(shapes.image, image, 'image')
  return [kernel, ...(initramfs === undefined ? [] : [initramfs]), ...disks.map(({ path }) => path)]
}
