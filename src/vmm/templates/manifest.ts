import { join } from 'node:path'
import { BoxError } from '../../machines/index.ts'
import { openOwnFile } from '../files/own-file.ts'
import { linkedParts } from '../snapshots/link.ts'
import { isPart, type Part } from '../snapshots/parts.ts'
import type { TemplateSize } from './place.ts'

/** What a template says of itself, in `template.json` beside its other files. */
export interface TemplateManifest extends TemplateSize {
  /** 2: with disks, of which each box gets copies */
  readonly format: 1 | 2
  readonly id: string
  /** name of the image */
  readonly image: string
  /** ISO time */
  readonly madeAt: string
  /** what the image was */
  readonly guest: TemplateGuest
  /** the VMM program, by what it says of itself before it runs, and the flags that it was given */
  readonly program: string
  /** model of the host's processors */
  readonly processor: string
  /** what the VMM that has written it says of itself */
  readonly vmm: { readonly version: string; readonly features: readonly string[] }
  /** the VM as its VMM described it */
  readonly config: Readonly<Record<string, unknown>>
  /** of the snapshot; the configuration is the one above */
  readonly files: readonly Part[]
}

/** What an image gives to a VM. */
export interface TemplateGuest {
  /** the kernel's command line, but for the name of the box */
  readonly cmdline: string
  readonly files: readonly GuestFile[]
}

/** A file that is the same for all boxes of an image. */
export interface GuestFile {
  /** `kernel`, `initramfs`, `disk-0`, … */
  readonly role: string
  readonly bytes: number
  /** in `ms since 1970` */
  readonly modifiedMs: number
  /** in hex */
  readonly sha256: string
}

export const manifestFormat = 2
export const manifestName = 'template.json'

/** In `bytes`. */
const longestManifest = 1 << 20

/**
 * Reads a template's manifest; undefined if there is none. Rejects with `SNAPSHOT_CORRUPT`, or `FORMAT_UNSUPPORTED` for one
 * of a newer boxledger.
 */
export async function readTemplate(
  dir: string,
  image: string,
  { cpus, memoryMib }: TemplateSize,
): Promise<TemplateManifest | undefined> {
  const text = await textOf(dir, image)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw damaged(image, 'its manifest is no JSON', cause)
  }
  const format = isObject(value) ? value.format : undefined
  if (Number.isInteger(format) && Number(format) > manifestFormat)
    throw new BoxError(
      'FORMAT_UNSUPPORTED',
      `The template of the image ${image} has format ${format}; this boxledger knows ${manifestFormat}`,
      { details: { image, format } },
    )
  if (!isManifest(value)) throw damaged(image, 'its manifest is not one')
  if (value.image !== image || value.cpus !== cpus || value.memoryMib !== memoryMib)
    throw damaged(image, 'its manifest is that of another one')
  return value
}

/** `SNAPSHOT_CORRUPT` */
export function damaged(image: string, what: string, cause?: unknown): BoxError {
  return new BoxError('SNAPSHOT_CORRUPT', `The template of the image ${image} is damaged: ${what}`, {
    details: { image },
    cause,
  })
}

async function textOf(dir: string, image: string): Promise<string | undefined> {
  try {
    const file = await openOwnFile(join(dir, manifestName))
    if (file === undefined) return undefined
    try {
      const { size } = await file.stat()
      if (size > longestManifest) throw damaged(image, `its manifest has ${size} bytes`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (BoxError.is(error)) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw damaged(image, `its manifest cannot be read: ${(error as Error).message}`, error)
  }
}

function isManifest(value: unknown): value is TemplateManifest {
  if (!isObject(value)) return false
  const { format, id, image, madeAt, guest, program, processor, vmm, config, files } = value
  return (
    (format === 1 || format === manifestFormat) &&
    typeof id === 'string' &&
    /^[0-9a-z]{12}$/.test(id) &&
    typeof image === 'string' &&
    typeof madeAt === 'string' &&
    isGuest(guest) &&
    typeof program === 'string' &&
    typeof processor === 'string' &&
    isObject(vmm) &&
    typeof vmm.version === 'string' &&
    Array.isArray(vmm.features) &&
    isObject(config) &&
    Array.isArray(files) &&
    files.every(isPart) &&
    linkedParts.every(part => files.some(file => file.name === part))
  )
}

function isGuest(value: unknown): value is TemplateGuest {
  return (
    isObject(value) &&
    typeof value.cmdline === 'string' &&
    Array.isArray(value.files) &&
    value.files.every(
      file =>
        isObject(file) &&
        typeof file.role === 'string' &&
        Number.isSafeInteger(file.bytes) &&
        typeof file.modifiedMs === 'number' &&
        typeof file.sha256 === 'string',
    )
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
