import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type BodyRef, decodeRef } from './body-ref.ts'

/**
 * The archive of a home: closed segments, files that are written once and never changed.
 *
 *   archive/000001.ndjson     bodies of removed boxes, the bytes as they were stored, a line each
 *
 * In the database a reference stands in the place of each body, and beside the chain, in `m/segment/N`, what the file is to be.
 */
export interface Archive {
  /** absolute; may not exist */
  readonly directory: string
  /**
   * Bodies as they were stored, whether they are still in the database or in a segment; undefined where a segment is
   * missing or too short. Whether they are the right ones their hashes have to prove.
   */
  resolve(stored: readonly (string | undefined)[]): Promise<(string | undefined)[]>
}

export const archiveName = 'archive'

/** Name of a segment's file, under the home. */
export function segmentFile(segment: number): string {
  return `${archiveName}/${segmentName(segment)}`
}

export function segmentName(segment: number): string {
  return `${String(segment).padStart(6, '0')}.ndjson`
}

/** The number of the segment that a file name is of. */
export function segmentOfName(name: string): number | undefined {
  const [, digits] = /^(\d{6,})\.ndjson$/.exec(name) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** File that a stored body is in, under the home; undefined: the database itself. */
export function fileOfBody(stored: string | undefined): string | undefined {
  const ref = decodeRef(stored)
  return ref && segmentFile(ref.segment)
}

export function archiveOf(home: string): Archive {
  const directory = join(home, archiveName)
  return {
    directory,
    async resolve(stored) {
      if (!stored.some(text => text?.startsWith('@'))) return [...stored]
      await using files = new Files(directory)
      const texts: (string | undefined)[] = []
      for (const text of stored) {
        const ref = decodeRef(text)
        texts.push(ref === undefined ? text : await files.read(ref))
      }
      return texts
    },
  }
}

/** Segments that are open for the length of one reading. */
class Files implements AsyncDisposable {
  readonly #directory: string
  readonly #open = new Map<number, OpenSegment | undefined>()

  constructor(directory: string) {
    this.#directory = directory
  }

  async read({ segment, offset, length }: BodyRef): Promise<string | undefined> {
    if (!this.#open.has(segment)) this.#open.set(segment, await openSegment(this.#directory, segment))
    const file = this.#open.get(segment)
    if (file === undefined || offset + length > file.size) return undefined
    const { buffer } = await file.handle.read(Buffer.alloc(length), 0, length, offset)
    return buffer.toString('utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#open.values()) await file?.handle.close()
  }
}

interface OpenSegment {
  readonly handle: FileHandle
  /** in `bytes` */
  readonly size: number
}

/** Undefined if it is not there. */
async function openSegment(directory: string, segment: number): Promise<OpenSegment | undefined> {
  try {
    const handle = await open(join(directory, segmentName(segment)), 'r')
    return { handle, size: (await handle.stat()).size }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}
