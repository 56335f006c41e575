import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Boundary, BoxError, quoted } from '../../machines/index.ts'
import { disksDir } from '../files/paths.ts'
import { copyLargeFile } from '../images/copy-file.ts'
import { type DiskName, isDiskName } from '../images/own-disk.ts'

/**
 * The disks of a VM that are saved with it: those that can be written to, all of which are the box's own. `UNSUPPORTED`
 * where one is not, since it is somebody's file: what is written there later would be there when the memory comes back.
 */
export function ownDisksOf(config: Readonly<Record<string, unknown>>, dir: string): DiskName[] {
  const names: DiskName[] = []
  for (const path of writableIn(config)) {
    const name = basename(path)
    if (dirname(path) !== dir || !isDiskName(name))
      throw new BoxError(
        'UNSUPPORTED',
        `The disk ${quoted(path)} can be written to, and is a file of yours: it is not saved, and so the box is not. Give it as readonly, or as a disk of an image, of which each box has a copy of its own.`,
        { details: { path } },
      )
    names.push(name)
  }
  return names
}

/** The same of a VM that was saved: whatever directory its box had. */
export function savedDisksOf(config: Readonly<Record<string, unknown>>): DiskName[] {
  return writableIn(config).flatMap(path => {
    const name = basename(path)
    return isDiskName(name) ? [name] : []
  })
}

function writableIn({ disks }: Readonly<Record<string, unknown>>): string[] {
  return (Array.isArray(disks) ? disks : []).flatMap(disk =>
    disk?.readonly === true ? [] : [String(disk?.path)],
  )
}

/** Copies disks into what is staged. No VMM may write to them meanwhile; the copies are not synced yet. */
export async function saveDisks(
  names: readonly DiskName[],
  from: string,
  staged: string,
  boundary: Boundary,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    boundary('before saving a disk')
    await copyLargeFile(join(from, name), join(staged, name), { signal, synced: false })
    boundary('after saving a disk')
  }
}

/** How large the disks are that a box has for itself, in `MiB`: as its guest sees them, holes counted. */
export function ownDisksMib(home: string, box: string): number {
  const dir = disksDir(home, box)
  if (!existsSync(dir)) return 0
  const bytes = readdirSync(dir)
    .filter(isDiskName)
    .reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  return Math.ceil(bytes / (1 << 20))
}
