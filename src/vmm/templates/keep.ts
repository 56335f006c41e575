import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Boundary } from '../../machines/index.ts'
import { isOwnDirectory } from '../files/own-file.ts'
import { isDiskName } from '../images/own-disk.ts'
import { sync, writeSynced } from '../images/synced.ts'
import { linkedParts, linkOrCopy } from '../snapshots/link.ts'
import { readManifest } from '../snapshots/manifest.ts'
import { checkParts } from '../snapshots/parts.ts'
import { snapshotFiles } from '../snapshots/place.ts'
import { processorHere, programWords, type Start } from './fit.ts'
import { guestNow } from './guest-files.ts'
import { damaged, manifestName, type TemplateManifest } from './manifest.ts'
import { making, templateDir, templatesDir } from './place.ts'
import { setAside } from './remove.ts'

export interface NewTemplate extends Start {
  readonly id: string
  /** the box that has booted, and its snapshot */
  readonly box: string
  readonly snapshot: string
  /** in `ms since 1970` */
  readonly now: number
  readonly boundary: Boundary
  readonly signal: AbortSignal
}

/** Makes a template of a box's snapshot, in the place of one that was there. It is there as a whole or not at all. */
export async function keepTemplate(wanted: NewTemplate): Promise<TemplateManifest> {
  const { home, image, size, boundary, signal } = wanted
  const all = templatesDir(home)
  const dir = templateDir(home, image, size)
  await makeDirectory(all)
  boundary('before staging a template')
  const draft = await mkdtemp(join(all, making))
  try {
    const manifest = await stage(draft, wanted)
    boundary('after staging a template')
    signal.throwIfAborted()
    await makeDirectory(dirname(dir))
    await setAside(home, dir, boundary)
    boundary('before naming a template')
    await rename(draft, dir)
    for (const changed of [dirname(dir), all, dirname(all)]) await sync(changed)
    boundary('after naming a template')
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function stage(draft: string, wanted: NewTemplate): Promise<TemplateManifest> {
  const { home, image, size, box, snapshot, guest, command, signal } = wanted
  const place = { box, name: snapshot }
  const { dir } = snapshotFiles(home, box, snapshot)
  const { vmm, config, files } = await readManifest(dir, place)
  const kept = files.filter(({ name }) => isDiskName(name) || linkedParts.some(part => part === name))
  for (const { name } of kept) await linkOrCopy(join(dir, name), join(draft, name))
  await checkParts(draft, what => damaged(image, what), kept, signal)
  for (const { name } of kept) await sync(join(draft, name))
  const { cpus, memoryMib } = size
  const manifest: TemplateManifest = {
    ...{ format: kept.some(({ name }) => isDiskName(name)) ? 2 : 1, id: wanted.id, image, cpus, memoryMib },
    madeAt: new Date(wanted.now).toISOString(),
    guest: await guestNow(guest, signal),
    program: await programWords(command, signal),
    processor: processorHere(),
    ...{ vmm, config, files: kept },
  }
  await writeSynced(join(draft, manifestName), Buffer.from(`${JSON.stringify(manifest)}\n`))
  await sync(draft)
  return manifest
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (!isOwnDirectory(path)) throw new Error(`${path} is not a directory of its own`)
}
