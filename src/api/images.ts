import { isAbsolute, resolve } from 'node:path'
import type { ImageInfo } from '../engine/index.ts'
import { BoxError, type ImageSpec, quoted } from '../machines/index.ts'
import { check, shapes } from './options.ts'

/** The images of a home, by name: what `image: 'NAME'` means for its boxes. */
export interface Images {
  /** The built-in one first, the others by name. */
  list(): Promise<ImageInfo[]>
  /**
   * Copies a guest's files into the home. Rejects with `INVALID_ARGUMENT` or `NOT_FOUND`, naming the field, with
   * `NAME_TAKEN`, or `NO_SPACE`; nothing is left then.
   *
   * @example
   * await runtime.images.add('mine', { kernel: './vmlinux', initramfs: './initramfs.cpio' })
   * const box = await runtime.create({ image: 'mine' })
   */
  add(name: string, image: ImageSpec, o?: AddImageOptions): Promise<void>
  /**
   * Deletes an image. Rejects with `INVALID_STATE` while boxes use it (`details.boxes`), `NOT_FOUND`, and with
   * `INVALID_ARGUMENT` for the built-in one.
   */
  remove(name: string): Promise<void>
}

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
export function checkNewImage(image: unknown): ImageSpec {
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
  const { kernel, initramfs, disks = [] } = check(shapes.image, image, 'image')
  for (const path of [kernel, initramfs ?? kernel, ...disks.map(({ path }) => path)])
    if (!isAbsolute(path))
      throw new BoxError('INVALID_ARGUMENT', `The path ${quoted(path)} must be absolute`, {
        details: { field: 'image' },
      })
}
