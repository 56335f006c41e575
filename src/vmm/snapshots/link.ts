import { copyFile, link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Boundary, BoxError } from '../../machines/index.ts'
import { isObject } from '../cloud-hypervisor/answer.ts'
import type { VmConfig, VmDisk } from '../cloud-hypervisor/vm-config.ts'
import type { Manifest } from './manifest.ts'

/** What a VMM reads as it was written. */
export const linkedParts = ['state.json', 'memory-ranges'] as const

/**
 * Brings a snapshot into a run directory, for the VMM to read: memory and state as they are, and a configuration whose
 * paths are those of this run. Whatever becomes of the snapshot then, the VMM has its files.
 */
export async function linkSnapshot(
  from: string,
  to: string,
  config: Readonly<Record<string, unknown>>,
  boundary: Boundary,
): Promise<void> {
  boundary('before linking a snapshot')
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { mode: 0o700 })
  for (const part of linkedParts) await linkOrCopy(join(from, part), join(to, part))
  await writeFile(join(to, 'config.json'), JSON.stringify(config), { flag: 'wx', mode: 0o600 })
  boundary('after linking a snapshot')
}

/** Another name for a file; a copy of its own where the file system has none. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // A file system without links.
    if (
      !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EMLINK'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
    )
      throw error
    await copyFile(from, to)
  }
}

/**
 * The VM of a snapshot, with the paths and the identity of this run; all that its memory knows of stays. `UNSUPPORTED`
 * where it knows of other disks than there are.
 */
export function configFor(saved: Manifest['config'], own: VmConfig): Readonly<Record<string, unknown>> {
  const over = (key: string, value: object | undefined) =>
    value === undefined ? {} : { [key]: { ...(saved[key] as object | null), ...value } }
  return {
    ...saved,
    ...over('payload', own.payload),
    ...over('serial', own.serial),
    ...over('console', own.console),
    ...over('vsock', own.vsock),
    ...over('platform', own.platform),
    ...disksFor(saved.disks, own.disks ?? []),
    landlock_rules: own.landlock_rules,
  }
}

function disksFor(saved: unknown, own: readonly VmDisk[]): { readonly disks?: readonly object[] } {
  const disks: readonly unknown[] = Array.isArray(saved) ? saved : []
  if (disks.length === 0 && own.length === 0) return {}
  const isSame =
    disks.length === own.length &&
    disks.every((disk, n) => isObject(disk) && (disk.readonly ?? false) === own[n]?.readonly)
  if (!isSame)
    throw new BoxError('UNSUPPORTED', 'The snapshot is of a box with other disks than this one has')
  return { disks: own.map(({ path }, n) => ({ ...(disks[n] as object), path })) }
}
