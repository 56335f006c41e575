import { readdir } from 'node:fs/promises'
import { isOwnDirectory } from '../files/own-file.ts'
import { bytesOf } from '../snapshots/parts.ts'
import { assertFits, templateOf } from './fit.ts'
import type { TemplateManifest } from './manifest.ts'
import { sizeOf, type TemplateSize, templatesOf } from './place.ts'
import { type StartOfImage, startOfPresent } from './start-of.ts'

/** A template as it lies in a home. */
export interface FoundTemplate extends TemplateSize {
  /** of its files, holes counted; absent where they cannot be read */
  readonly bytes?: number
  /** ISO time */
  readonly madeAt?: string
  /** version of the VMM that has written it */
  readonly vmm?: string
  /** boxes of this size begin with it */
  readonly fits: boolean
  /** why it is not used */
  readonly reason?: string
}

/** The templates of an image, the smallest first. Whether their memory is what was written a start looks at. */
export async function listTemplates(look: Omit<StartOfImage, 'size'>): Promise<FoundTemplate[]> {
  const dir = templatesOf(look.home, look.image)
  if (!isOwnDirectory(dir)) return []
  const sizes = (await readdir(dir)).flatMap(name => sizeOf(name) ?? [])
  sizes.sort((a, b) => a.memoryMib - b.memoryMib || a.cpus - b.cpus)
  const found: FoundTemplate[] = []
  for (const size of sizes) found.push(...(await lookAt({ ...look, size })))
  return found
}

async function lookAt(look: StartOfImage): Promise<FoundTemplate[]> {
  const { home, image, size, signal } = look
  let manifest: TemplateManifest | undefined
  try {
    manifest = await templateOf(home, image, size)
    if (manifest === undefined) return []
    await assertFits(await startOfPresent(look), manifest, signal)
    return [foundOf(manifest)]
  } catch (error) {
    if (signal.aborted) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return [{ ...(manifest === undefined ? size : foundOf(manifest)), fits: false, reason }]
  }
}

/** What is told of one that fits. */
export function foundOf({ cpus, memoryMib, files, madeAt, vmm }: TemplateManifest): FoundTemplate {
  return { cpus, memoryMib, bytes: bytesOf(files), madeAt, vmm: vmm.version, fits: true }
}
