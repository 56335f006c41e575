import { join } from 'node:path'
import { snapshotsDir } from '../files/paths.ts'

/**
 * Where a box's snapshots are: `boxes/ID/snapshots/NAME/`, each whole from when it has this name. One that is being made is
 * in the run directory of its VMM, `boxes/ID/N/saving/`, which may write nowhere else; one that is being deleted is
 * `.NAME.gone`, which is no snapshot's name.
 */
export interface SnapshotFiles {
  /** directory of all of the box's snapshots */
  readonly all: string
  readonly dir: string
  readonly gone: string
}

export function snapshotFiles(home: string, box: string, name: string): SnapshotFiles {
  const all = snapshotsDir(home, box)
  return { all, dir: join(all, name), gone: join(all, `.${name}.gone`) }
}
