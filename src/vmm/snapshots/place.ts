import { join } from 'node:path'
import { snapshotsDir } from '../files/paths.ts'

/**
 * Where a box's snapshots are: `boxes/ID/snapshots/NAME/`, each whole from when it has this name. What is being made, or
 * being deleted, is beside it under a name that no snapshot can have:
 *
 *     .NAME.tmp     the VMM is writing it, or it is not known to last yet
 *     .NAME.gone    it is being deleted
 */
export interface SnapshotFiles {
  /** directory of all of the box's snapshots */
  readonly all: string
  readonly dir: string
  readonly staged: string
  readonly gone: string
}

export function snapshotFiles(home: string, box: string, name: string): SnapshotFiles {
  const all = snapshotsDir(home, box)
  return {
    all,
    dir: join(all, name),
    staged: join(all, `.${name}.tmp`),
    gone: join(all, `.${name}.gone`),
  }
}

/** Whether a name is that of a snapshot which is being made. */
export function isStaged(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}
