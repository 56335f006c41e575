import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { type EnsureImageOptions, ensureBuiltinImage } from './builtin.ts'
import { builtinCmdline, defaultCmdline } from './cmdline.ts'
import { asImageError, ImageError } from './image-error.ts'
import { resolveNamed } from './named/resolve.ts'
import type { OwnDisk } from './own-disk.ts'

export interface DiskSpec {
  readonly path: string
  readonly format?: 'raw' | 'qcow2' | undefined
  readonly readonly?: boolean | undefined
}

/** A guest brought along as files. */
export interface ImageSpec {
  readonly kernel: string
  readonly initramfs?: string | undefined
  /** Default `console=ttyS0 panic=-1` */
  readonly cmdline?: string | undefined
  readonly disks?: readonly DiskSpec[] | undefined
  readonly agent?: boolean | undefined
}

/** What a VMM is given to start a guest. */
export interface ResolvedImage {
  readonly kind: 'builtin' | 'files'
  readonly kernel: string
  readonly initramfs?: string
  readonly cmdline: string
  /** The same for a trial of the VMM, which has no disks; default: `cmdline` */
  readonly probeCmdline?: string
  readonly disks: readonly DiskSpec[]
  /** Those among `disks` that have to be made before the first start, see own-disk.ts */
  readonly ownDisks?: readonly OwnDisk[]
  /** What the end of a start can be told by, at best: the guest's own word, or the VMM's */
  readonly ready: 'guest' | 'vmm'
  /** Whether the guest's init runs a box's main command (see overlay.ts) */
  readonly supportsCommand: boolean
  /** Whether an agent listens in the guest (see agent-protocol.ts) */
  readonly hasAgent: boolean
}

export interface ResolveImageOptions extends EnsureImageOptions {
  /** Host name for a guest that takes one */
  readonly name?: string | undefined
  /** Where the box's own disks are, `boxes/<id>/disks` */
  readonly disksDir: string
}

export const builtinName = 'builtin'

/**
 * Turns a box's `image` into files, and looks at them: call it at start. Nothing or `builtin` is the built-in guest,
 * which is made if it is not there yet; any other name is one that was added.
 *
 * @throws ImageError BOOT_FAILED naming the file that cannot be used, NOT_FOUND for an unknown name, and what
 * ensureBuiltinImage throws
 */
export async function resolveImage(
  spec: undefined | string | ImageSpec,
  options: ResolveImageOptions,
): Promise<ResolvedImage> {
  if (spec === undefined || spec === builtinName) {
    const cmdline = builtinCmdline({ name: options.name })
    const { kernel, initramfs } = await ensureBuiltinImage(options)
    return {
      ...{ kind: 'builtin', ready: 'guest', supportsCommand: true, hasAgent: true },
      ...{ kernel, initramfs, cmdline, disks: [] },
    }
  }
  if (typeof spec === 'string') {
    const found = await resolveNamed(spec, options)
    if (found !== undefined) return found
    const message = `There is no image ${JSON.stringify(spec)}. Add it, or see which there are: boxledger images.`
    throw new ImageError('NOT_FOUND', message, { image: spec })
  }
  const { kernel, initramfs, cmdline = defaultCmdline, disks = [], agent = false } = spec
  await checkFile('kernel', kernel, constants.R_OK)
  if (initramfs !== undefined) await checkFile('initramfs', initramfs, constants.R_OK)
  await checkDisks(disks)
  const files = { kernel, ...(initramfs === undefined ? {} : { initramfs }) }
  return { kind: 'files', ...files, cmdline, disks, ready: 'vmm', supportsCommand: false, hasAgent: agent }
}

/** Looks at a box's disks; throws ImageError BOOT_FAILED naming the first that cannot be used as it is asked for. */
export async function checkDisks(disks: readonly DiskSpec[]): Promise<void> {
  for (const { path, readonly } of disks) {
    await checkFile('disk', path, readonly === true ? constants.R_OK : constants.R_OK | constants.W_OK)
  }
}

async function checkFile(what: 'kernel' | 'initramfs' | 'disk', path: string, mode: number): Promise<void> {
  const details = { file: what, path }
  const use = (problem: string) =>
    new ImageError('BOOT_FAILED', `The ${what} ${path} cannot be used: ${problem}`, details)
  try {
    await access(path, mode)
    const found = await stat(path)
    const usable = found.isFile() || (what === 'disk' && found.isBlockDevice())
    if (!usable) throw use('it is not a file.')
    if (found.isFile() && found.size === 0) throw use('it is empty.')
  } catch (error) {
    if (error instanceof ImageError) throw error
    throw use(asImageError(error, 'looking at it').message)
  }
}
