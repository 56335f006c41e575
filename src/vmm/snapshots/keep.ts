import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Boundary, BoxError, type SnapshotPlace } from '../../machines/index.ts'
import { isOwnDirectory, wary } from '../files/own-file.ts'
import { boxDir, runNumber, savingIn } from '../files/paths.ts'
import { type Manifest, manifestName, readManifest } from './manifest.ts'
import { savedDisksOf } from './own-disks.ts'
import { bytesOf, keepPart, type Part, parts } from './parts.ts'
import type { SnapshotFiles } from './place.ts'

/** Makes the directory that a VMM is to fill; what is left of an earlier try goes. */
export async function stage({ dir }: SnapshotFiles, staged: string, boundary: Boundary): Promise<void> {
  if (isOwnDirectory(dir)) throw nameTaken(dir)
  await dropStaged(staged, boundary)
  boundary('before staging a snapshot')
  await mkdir(staged, { mode: 0o700 })
  boundary('after staging a snapshot')
}

/** Deletes what was staged; fine if there is nothing. */
export async function dropStaged(staged: string, boundary: Boundary): Promise<void> {
  if (!isOwnDirectory(staged)) return
  boundary('before removing a staged snapshot')
  await rm(staged, { recursive: true, force: true, maxRetries: 3 })
  boundary('after removing a staged snapshot')
}

/** Deletes what snapshots of a box have left that were cut off. No VMM of the box may live. */
export async function dropAllStaged(home: string, box: string, boundary: Boundary): Promise<void> {
  const dir = boxDir(home, box)
  if (!isOwnDirectory(dir)) return
  for (const name of await readdir(dir))
    if (runNumber(name) !== undefined && isOwnDirectory(join(dir, name)))
      await dropStaged(savingIn(join(dir, name)), boundary)
}

/**
 * Makes a staged snapshot one that lasts: its files are synced and described, and it gets its name. Done again after it
 * was cut off it goes on where it was. Throws if there is nothing that could get the name, or something else has it.
 */
export async function keepStaged(
  { all, dir }: SnapshotFiles,
  staged: string,
  described: Omit<Manifest, 'format' | 'config' | 'files'>,
  boundary: Boundary,
  signal: AbortSignal,
): Promise<{ readonly bytes: number }> {
  if (isOwnDirectory(dir)) return await kept(dir, described)
  boundary('before describing a snapshot')
  const measured: Part[] = []
  for (const part of parts) measured.push(await keepPart(staged, part, signal))
  const config = JSON.parse(await readFile(join(staged, 'config.json'), 'utf8')) as Manifest['config']
  const disks = savedDisksOf(config)
  for (const disk of disks) measured.push(await keepPart(staged, disk, signal))
  // One without disks is for older versions too.
  const format = disks.length === 0 ? 1 : 2
  const manifest: Manifest = { format, ...described, config, files: measured }
  await writeSynced(join(staged, manifestName), JSON.stringify(manifest))
  await syncDir(staged)
  signal.throwIfAborted()
  boundary('after describing a snapshot')
  boundary('before naming a snapshot')
  await mkdir(all, { recursive: true, mode: 0o700 })
  if (!isOwnDirectory(all)) throw new Error(`${all} is not a directory of its own`)
  await rename(staged, dir)
  for (const changed of [all, dirname(all), dirname(staged)]) await syncDir(changed)
  boundary('after naming a snapshot')
  return { bytes: bytesOf(measured) }
}

/** It has its name already: by an earlier engine, for the same request. */
async function kept(dir: string, { box, name, version }: SnapshotPlace & { readonly version: number }) {
  const manifest = await readManifest(dir, { box, name })
  if (manifest.version !== version) throw nameTaken(dir)
  await syncDir(dirname(dir))
  return { bytes: bytesOf(manifest.files) }
}

/** `NAME_TAKEN`: what the ledger does not know is not deleted for that. */
function nameTaken(dir: string): BoxError {
  return new BoxError('NAME_TAKEN', `The ledger does not know it, but there is ${dir} already`)
}

/** What was written before it was cut off goes. */
async function writeSynced(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDir(path: string): Promise<void> {
  const dir = await open(path, wary)
  await dir.sync().finally(() => dir.close())
}
