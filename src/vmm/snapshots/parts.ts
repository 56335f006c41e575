import { createHash } from 'node:crypto'
import { type FileHandle, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BoxError } from '../../machines/index.ts'
import { openOwnFile } from '../files/own-file.ts'
import { type DiskName, isDiskName } from '../images/own-disk.ts'

/** The files that a VMM writes: the VM's configuration, the state of its devices, its memory. */
export const parts = ['config.json', 'state.json', 'memory-ranges'] as const

/** One of them, or a copy of a disk of the box's own, as it was written. */
export interface Part {
  readonly name: (typeof parts)[number] | DiskName
  readonly bytes: number
  /** in hex */
  readonly sha256: string
}

export function isPart(value: unknown): value is Part {
  const { name, bytes, sha256 } = (value ?? {}) as Record<string, unknown>
  return (
    (parts.some(part => part === name) || isDiskName(name)) &&
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
    return { name, ...(await readThrough(file, signal)) }
  } finally {
    await file.close()
  }
}

/**
 * Holds the files of a snapshot against its manifest: a VMM takes one that is cut to half its size without a word.
 * Rejects with what `corrupt` makes of the damage.
 */
export async function checkParts(
  dir: string,
  corrupt: (what: string, cause?: unknown) => BoxError,
  files: readonly Part[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name, bytes, sha256 } of files) {
    let found: Part
    try {
      found = await measure(dir, name, signal)
    } catch (error) {
      if (signal.aborted) throw error
      throw corrupt((error as Error).message, error)
    }
    if (found.bytes !== bytes) throw corrupt(wrongSize(name, found.bytes, bytes))
    if (found.sha256 !== sha256) throw corrupt(`${name} is not what was written`)
  }
}

/** A first look, which reads nothing: whether the files are there, as long as they were. Rejects as {@link checkParts}. */
export async function checkSizes(
  dir: string,
  corrupt: (what: string, cause?: unknown) => BoxError,
  files: readonly Part[],
): Promise<void> {
  for (const { name, bytes } of files) {
    let size: number | undefined
    try {
      size = (await lstat(join(dir, name))).size
    } catch (error) {
      throw corrupt((error as Error).message, error)
    }
    if (size !== bytes) throw corrupt(wrongSize(name, size, bytes))
  }
}

const wrongSize = (name: string, found: number, bytes: number) =>
  `${name} has ${found} bytes instead of ${bytes}`

/** In `bytes`. */
const pieceBytes = 1 << 20

/** One piece is read while the one before is hashed: a start waits for this, and a stream takes half as long again. */
async function readThrough(file: FileHandle, signal: AbortSignal): Promise<Pick<Part, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256')
  let [now, next] = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)]
  let bytes = 0
  let reading = file.read(now, 0, pieceBytes, 0)
  for (;;) {
    const { bytesRead } = await reading
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
    bytes += bytesRead
    signal.throwIfAborted()
    reading = file.read(next, 0, pieceBytes, bytes)
    hash.update(now.subarray(0, bytesRead))
    ;[now, next] = [next, now]
  }
}
