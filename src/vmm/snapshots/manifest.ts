import { join } from 'node:path'
import { BoxError, type BoxSpec, type SnapshotPlace } from '../../machines/index.ts'
import { openOwnFile } from '../files/own-file.ts'
import { corrupt, missing } from './damage.ts'
import { isPart, type Part, parts } from './parts.ts'

/** What a snapshot says of itself, in `manifest.json` beside its other files. */
export interface Manifest {
  /** 2: with disks */
  readonly format: 1 | 2
  /** the box that it was made of */
  readonly box: string
  readonly name: string
  /** of the box's record that asked for it */
  readonly version: number
  /** what the VMM that has written it says of itself */
  readonly vmm: { readonly version: string; readonly features: readonly string[] }
  /** the guest had said that it is ready */
  readonly ready: boolean
  readonly spec: BoxSpec
  /** the VM as its VMM described it */
  readonly config: Readonly<Record<string, unknown>>
  readonly files: readonly Part[]
}

export const manifestFormat = 2
export const manifestName = 'manifest.json'

/** A manifest has some kilobytes; in `bytes`. */
const longestManifest = 1 << 20

/** Reads a snapshot's manifest. Rejects with `NOT_FOUND`, `FORMAT_UNSUPPORTED` or `SNAPSHOT_CORRUPT`. */
export async function readManifest(dir: string, place: SnapshotPlace): Promise<Manifest> {
  const text = await textOf(dir, place)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw corrupt(place, 'its manifest is no JSON', cause)
  }
  const format = (value as { format?: unknown } | null)?.format
  if (Number.isInteger(format) && Number(format) > manifestFormat)
    throw new BoxError(
      'FORMAT_UNSUPPORTED',
      `Snapshot ${place.name} of box ${place.box} has format ${format}; this boxledger knows ${manifestFormat}`,
      { details: { ...place, format } },
    )
  if (!isManifest(value)) throw corrupt(place, 'its manifest is not one')
  if (value.box !== place.box || value.name !== place.name)
    throw corrupt(place, 'its manifest is that of another one')
  return value
}

async function textOf(dir: string, place: SnapshotPlace): Promise<string> {
  try {
    const file = await openOwnFile(join(dir, manifestName))
    if (file === undefined) throw missing(place)
    try {
      const { size } = await file.stat()
      if (size > longestManifest) throw corrupt(place, `its manifest has ${size} bytes`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (BoxError.is(error)) throw error
    throw corrupt(place, `its manifest cannot be read: ${(error as Error).message}`, error)
  }
}

function isManifest(value: unknown): value is Manifest {
  if (!isObject(value)) return false
  const { format, box, name, version, vmm, ready, spec, config, files } = value
  return (
    (format === 1 || format === manifestFormat) &&
    typeof box === 'string' &&
    typeof name === 'string' &&
    Number.isSafeInteger(version) &&
    isObject(vmm) &&
    typeof vmm.version === 'string' &&
    Array.isArray(vmm.features) &&
    typeof ready === 'boolean' &&
    isObject(spec) &&
    isObject(config) &&
    Array.isArray(files) &&
    files.every(isPart) &&
    parts.every(part => files.some(file => file.name === part))
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
