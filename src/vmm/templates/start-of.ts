import { join } from 'node:path'
import { BoxError, type BoxSpec } from '../../machines/index.ts'
import { discover } from '../discovery/discover.ts'
import type { VmmChoice } from '../driver.ts'
import { hasOwnKernel, resolveGuest } from '../image.ts'
import { recipeName } from '../images/builtin.ts'
import { findImage } from '../images/image-cache.ts'
import { readManifest } from '../images/named/manifest.ts'
import type { Start } from './fit.ts'
import type { TemplateSize } from './place.ts'

export interface StartOfImage {
  readonly home: string
  /** name of the image */
  readonly image: string
  readonly size: TemplateSize
  readonly vmm: VmmChoice
  readonly onProgress?: ((message: string) => void) | undefined
  readonly signal: AbortSignal
}

/** What a box of an image would be started with; the built-in guest is made if it has to be. Throws ImageError, BoxError. */
export async function startOf({ home, image, size, vmm, onProgress, signal }: StartOfImage): Promise<Start> {
  const manifest = await readManifest(join(home, 'images'), image)
  const isSilent = manifest?.kind === 'files' && !manifest.agent
  const spec = { ...specOf(image, size), ...(isSilent ? { agent: false } : {}) }
  const guest = await resolveGuest({ home, box: 'template', name: 'template', spec, onProgress, signal })
  const kind = (await hasOwnKernel(home, spec)) ? 'tiny' : 'linux'
  const { command } = await discover({ ...vmm, home, signal, guest: kind, linux: async () => guest })
  return { home, image, size, guest, command }
}

/** The same for whoever only looks: `UNSUPPORTED` where the built-in guest would have to be made. */
export async function startOfPresent(options: StartOfImage): Promise<Start> {
  const { home, image } = options
  if (image === 'builtin' && (await findImage(join(home, 'images'), recipeName())) === undefined)
    throw new BoxError('UNSUPPORTED', 'The built-in guest of this version of boxledger is not made yet')
  return await startOf(options)
}

/** A box that may begin with a template, and nothing more. */
export function specOf(image: string, { cpus, memoryMib }: TemplateSize): BoxSpec {
  return {
    ...(image === 'builtin' ? {} : { image }),
    ...{ cpus, memoryMib },
    autoRemove: true,
    detach: false,
    restart: { policy: 'no' },
    stopTimeoutMs: 10_000,
  }
}
