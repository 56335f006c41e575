import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { SnapshotPlace } from '../../machines/index.ts'
import { openOwnFile } from '../files/own-file.ts'
import { corrupt } from './damage.ts'

/** The files that a VMM writes: the VM's configuration, the state of its devices, its memory. */
export const parts = ['config.json', 'state.json', 'memory-ranges'] as const

/** One of them, as it was written. */
export interface Part {
  readonly name: (typeof parts)[number]
  readonly bytes: number
  /** in hex */
  readonly sha256: string
}

export function isPart(value: unknown): value is Part {
  const { name, bytes, sha256 } = (value ?? {}) as Record<string, unknown>
  return (
    parts.some(part => part === name) &&
    Number.isSafeInteger(bytes) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  )
}

/** What a file holds now. `keep`: it is on the disk then, and this user's alone. Throws if it is none, or `signal` fires. */
export async function measure(
  dir: string,
  name: Part['name'],
  signal: AbortSignal,
  { keep = false } = {},
): Promise<Part> {
  const file = await openOwnFile(join(dir, name))
  if (file === undefined) throw new Error(`${name} is missing`)
  try {
    if (keep) {
      await file.chmod(0o600)
      await file.sync()
    }
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20, signal })) {
      hash.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
    }
    return { name, bytes, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

/**
 * Holds the files of a snapshot against its manifest: a VMM takes one that is cut to half its size without a word.
 * Rejects with `SNAPSHOT_CORRUPT`.
 */
export async function checkParts(
  dir: string,
  place: SnapshotPlace,
  files: readonly Part[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name, bytes, sha256 } of files) {
    let found: Part
    try {
      found = await measure(dir, name, signal)
    } catch (error) {
      if (signal.aborted) throw error
      throw corrupt(place, (error as Error).message, error)
    }
    if (found.bytes !== bytes) throw corrupt(place, `${name} has ${found.bytes} bytes instead of ${bytes}`)
    if (found.sha256 !== sha256) throw corrupt(place, `${name} is not what was written`)
  }
}
