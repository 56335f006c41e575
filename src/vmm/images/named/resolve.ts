import { join } from 'node:path'
import { defaultCmdline } from '../cmdline.ts'
import type { OwnDisk } from '../own-disk.ts'
import type { DiskSpec, ResolvedImage } from '../resolve.ts'
import { checkSizes, readManifest } from './manifest.ts'

/**
 * The files of a named image, and the copies of its disks that a box has for itself; undefined if there is none of that
 * name. Throws ImageError BOOT_FAILED for one that is damaged.
 */
export async function resolveNamed(
  dir: string,
  name: string,
  disksDir: string,
): Promise<ResolvedImage | undefined> {
  const manifest = await readManifest(dir, name)
  if (manifest === undefined) return undefined
  await checkSizes(dir, name, manifest)
  const { kernel, initramfs, cmdline, agent } = manifest
  const path = (file: string) => join(dir, name, file)
  const ownDisks: OwnDisk[] = []
  const disks = manifest.disks.map(({ file, format, readonly }): DiskSpec => {
    if (readonly) return { path: path(file), format, readonly }
    const own = { from: path(file), to: join(disksDir, `${file}.img`) }
    ownDisks.push(own)
    return { path: own.to, format }
  })
  return {
    kind: 'files',
    kernel: path(kernel.file),
    ...(initramfs === undefined ? {} : { initramfs: path(initramfs.file) }),
    cmdline: cmdline ?? defaultCmdline,
    disks,
    ownDisks,
    ready: agent ? 'guest' : 'vmm',
    supportsCommand: false,
    hasAgent: agent,
  }
}
