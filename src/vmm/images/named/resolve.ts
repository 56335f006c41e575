import { join } from 'node:path'
import { ensureBuiltinImage } from '../builtin.ts'
import { builtinCmdline, defaultCmdline } from '../cmdline.ts'
import type { DiskName, OwnDisk } from '../own-disk.ts'
import type { DiskSpec, ResolvedImage, ResolveImageOptions } from '../resolve.ts'
import { checkSizes, type FilesManifest, readManifest } from './manifest.ts'

/** What the guest calls its first disk. */
const rootDevice = 'vda'

/**
 * The files of a named image, and the copies of its disks that a box has for itself; undefined if there is none of that
 * name.
 *
 * @throws ImageError BOOT_FAILED for one that is damaged, FORMAT_UNSUPPORTED for one of a newer version, and for a root file system what ensureBuiltinImage throws
 */
export async function resolveNamed(
  image: string,
  options: ResolveImageOptions,
): Promise<ResolvedImage | undefined> {
  const { dir, disksDir, name } = options
  const manifest = await readManifest(dir, image)
  if (manifest === undefined) return undefined
  await checkSizes(dir, image, manifest)
  if (manifest.kind === 'files') return resolveFiles(manifest, join(dir, image), disksDir)
  const { kernel, initramfs } = await ensureBuiltinImage(options)
  const own = ownDisk(join(dir, image, manifest.root.file), disksDir, 'root.img')
  return {
    ...{ kind: 'builtin', ready: 'guest', supportsCommand: true, hasAgent: true },
    ...{ kernel, initramfs, disks: [{ path: own.to }], ownDisks: [own] },
    cmdline: builtinCmdline({ name, root: rootDevice }),
    probeCmdline: builtinCmdline({ name }),
  }
}

function resolveFiles(manifest: FilesManifest, dir: string, disksDir: string): ResolvedImage {
  const { kernel, initramfs, cmdline = defaultCmdline, agent } = manifest
  const path = (file: string) => join(dir, file)
  const ownDisks: OwnDisk[] = []
  const disks = manifest.disks.map(({ file, format, readonly }): DiskSpec => {
    if (readonly) return { path: path(file), format, readonly }
    const own = ownDisk(path(file), disksDir, `${file}.img`)
    ownDisks.push(own)
    return { path: own.to, format }
  })
  return {
    kind: 'files',
    kernel: path(kernel.file),
    ...(initramfs === undefined ? {} : { initramfs: path(initramfs.file) }),
    ...{ cmdline, disks, ownDisks },
    ready: agent ? 'guest' : 'vmm',
    supportsCommand: false,
    hasAgent: agent,
  }
}

function ownDisk(from: string, disksDir: string, name: DiskName): OwnDisk {
  return { name, from, to: join(disksDir, name) }
}
