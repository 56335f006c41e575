import { isAbsolute, resolve } from 'node:path'
import * as v from 'valibot'
import type { ImageInfo } from '../engine/index.ts'
import { BoxError, type ImageSpec, quoted } from '../machines/index.ts'
import { check, shapes } from './options.ts'
import { strict, whole } from './schema.ts'

/** The images of a home, by name: what `image: 'NAME'` means for its boxes. */
export interface Images {
  /** The built-in one first, the others by name. */
  list(): Promise<ImageInfo[]>
  /**
   * Copies a guest's files into the home; of a directory that holds a root file system it makes a disk, which the
   * built-in kernel boots. Rejects with `INVALID_ARGUMENT` or `NOT_FOUND`, naming the field, with `NAME_TAKEN`,
   * `UNSUPPORTED` (a disk without mke2fs) or `NO_SPACE`; nothing is left then.
   *
   * @example
   * await runtime.images.add('mine', { kernel: './vmlinux', initramfs: './initramfs.cpio' })
   * const box = await runtime.create({ image: 'mine' })
   */
  add(name: string, image: ImageSpec | RootImageSpec, o?: AddImageOptions): Promise<void>
  /**
   * Deletes an image. Rejects with `INVALID_STATE` while boxes use it (`details.boxes`), `NOT_FOUND`, and with
   * `INVALID_ARGUMENT` for the built-in one.
   */
  remove(name: string): Promise<void>
}

/** A directory that holds a root file system. */
export interface RootImageSpec {
  readonly root: string
  /** size of the file system in `MiB`; default: what the directory holds and 1 GiB. Only what is in use takes room */
  readonly sizeMib?: number
}

const rootImage = strict({ root: shapes.path, sizeMib: v.optional(whole(16, 16_777_216)) })

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
    return { ...rest, root: resolve(root) } as RootImageSpec
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
  if (isRootImage(image)) return [check(rootImage, image, 'image').root]
  const { kernel, initramfs, disks = [] } = check(shapes.image, image, 'image')
  return [kernel, ...(initramfs === undefined ? [] : [initramfs]), ...disks.map(({ path }) => path)]
}
