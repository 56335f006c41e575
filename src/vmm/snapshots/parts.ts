import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BoxError } from '../../machines/index.ts'
import { openOwnFile } from '../files/own-file.ts'
import { type DiskName, isDiskName } from '../images/own-disk.ts'
import { describeFile, hashStretches } from './hash.ts'
import { allocatedBytes, isPieces, isSha256, type Pieces } from './pieces.ts'

/** The files that a VMM writes: the VM's configuration, the state of its devices, its memory. */
export const parts = ['config.json', 'state.json', 'memory-ranges'] as const

/** One of them, or a copy of a disk of the box's own, as it was written. */
export interface Part {
  readonly name: (typeof parts)[number] | DiskName
  readonly bytes: number
  /** in hex */
  readonly sha256: string
  /** of a file with holes */
  readonly pieces?: Pieces
}

export function isPart(value: unknown): value is Part {
  const { name, bytes, sha256, pieces } = (value ?? {}) as Record<string, unknown>
  return (
    (parts.some(part => part === name) || isDiskName(name)) &&
    Number.isSafeInteger(bytes) &&
    isSha256(sha256) &&
    (pieces === undefined || isPieces(pieces, Number(bytes)))
  )
}

/** How long files are together, holes counted. */
export const bytesOf = (files: readonly Part[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0)

/** What a file holds, that has been written; it is on the disk then, and this user's alone. Throws if it is none, or `signal` fires. */
export async function keepPart(dir: string, name: Part['name'], signal: AbortSignal): Promise<Part> {
  const file = await openOwnFile(join(dir, name))
  if (file === undefined) throw new Error(`${name} is missing`)
  try {
    await file.chmod(0o600)
    await file.sync()
    return { name, ...(await describeFile(file, signal)) }
  } finally {
    await file.close()
  }
}

/** Which file it was that was read, whatever name it has by now. */
export type Proved = ReadonlyMap<Part['name'], string>

/**
 * Holds the files of a snapshot against its manifest: a VMM takes one that is cut to half its size without a word.
 * Rejects with what `corrupt` makes of the damage.
 */
export async function checkParts(
  dir: string,
  corrupt: (what: string, cause?: unknown) => BoxError,
  files: readonly Part[],
  signal: AbortSignal,
): Promise<Proved> {
  const proved = new Map<Part['name'], string>()
  for (const part of files) {
    try {
      proved.set(part.name, await checkPart(dir, part, signal))
    } catch (error) {
      if (signal.aborted) throw error
      throw corrupt((error as Error).message, error)
    }
  }
  return proved
}

/** Holes that take no more room than they did are empty still. Throws if the file is not what was written. */
async function checkPart(dir: string, part: Part, signal: AbortSignal): Promise<string> {
  const { name, bytes, sha256, pieces } = part
  const file = await openOwnFile(join(dir, name))
  if (file === undefined) throw new Error(`${name} is missing`)
  try {
    const found = await file.stat()
    if (found.size !== bytes) throw new Error(wrongSize(name, found.size, bytes))
    const whole = { at: [[0, bytes]] as const, sha256 }
    const read = pieces && allocatedBytes(found) === pieces.allocated ? pieces : whole
    if ((await hashStretches(file, read.at, signal)) !== read.sha256)
      throw new Error(`${name} is not what was written`)
    return identityOf(found)
  } finally {
    await file.close()
  }
}

/** The same for files that were checked where they were: those that are others here are checked here. */
export async function checkLinked(
  dir: string,
  corrupt: (what: string, cause?: unknown) => BoxError,
  files: readonly Part[],
  proved: Proved | undefined,
  signal: AbortSignal,
): Promise<void> {
  const others: Part[] = []
  for (const part of files) {
    const here = await lstat(join(dir, part.name))
    if (proved?.get(part.name) !== identityOf(here)) others.push(part)
  }
  await checkParts(dir, corrupt, others, signal)
}

/** The number of a file that was deleted is given again. When its last link was made does not count, since it is linked here. */
const identityOf = ({ dev, ino, birthtimeMs, mtimeMs }: Stats) => [dev, ino, birthtimeMs, mtimeMs].join(':')

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
