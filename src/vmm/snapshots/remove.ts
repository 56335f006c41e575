import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Boundary } from '../../machines/index.ts'
import { isOwnDirectory } from '../files/own-file.ts'
import { snapshotFiles } from './place.ts'

/** Deletes a snapshot; fine if it is gone, or half gone. */
export async function removeSnapshot(
  home: string,
  box: string,
  name: string,
  boundary: Boundary,
): Promise<void> {
  const { all, dir, gone } = snapshotFiles(home, box, name)
  if (existsSync(all) && !isOwnDirectory(all)) throw new Error(`${all} is not a directory of its own`)
  const left = [gone, dir].some(isOwnDirectory)
  if (!left) return
  boundary('before setting a snapshot aside')
  if (isOwnDirectory(dir)) {
    await rm(gone, { recursive: true, force: true })
    await rename(dir, gone)
  }
  boundary('after setting a snapshot aside')
  boundary('before deleting a snapshot')
  await rm(gone, { recursive: true, force: true, maxRetries: 3 })
  boundary('after deleting a snapshot')
}
