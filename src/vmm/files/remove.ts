import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Boundary, noBoundary } from '../../machines/index.ts'
import { removeSecrets } from '../secrets.ts'
import { isOwnDirectory } from './own-file.ts'
import { boxDir, runNumber } from './paths.ts'

/** Incarnations whose run directories are kept, with the one to come. */
const kept = 5

/** Deletes all files of a box, its secrets first; fine if there are none. A link is deleted, and not what it leads to. */
export async function removeBoxFiles(
  home: string,
  box: string,
  boundary: Boundary = noBoundary,
): Promise<void> {
  boundary('before removing the secrets')
  await removeSecrets(home, box)
  boundary('after removing the secrets')
  boundary('before removing the files')
  await rm(boxDir(home, box), { recursive: true, force: true, maxRetries: 3 })
  boundary('after removing the files')
}

/** Deletes the run directories that are too old to be kept once `incarnation` has its own. */
export async function pruneRuns(
  home: string,
  box: string,
  incarnation: number,
  boundary: Boundary,
): Promise<void> {
  const dir = boxDir(home, box)
  if (!isOwnDirectory(dir)) return
  for (const name of await readdir(dir)) {
    const number = runNumber(name)
    if (number === undefined || number > incarnation - kept) continue
    boundary('before removing an old run directory')
    await rm(join(dir, name), { recursive: true, force: true })
    boundary('after removing an old run directory')
  }
}
