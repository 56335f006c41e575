import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Boundary } from '../../machines/index.ts'
import { segmentName } from './archive.ts'
import type { BodyRef } from './body-ref.ts'

/** What a segment is written under until it is complete. */
export const unfinished = '.new'

const bufferBytes = 1 << 20

/** One segment on its way: it gets its name when all of it is on the disk. */
export class SegmentWriter {
  readonly segment: number
  readonly #directory: string
  readonly #file: FileHandle
  readonly #boundary: Boundary
  readonly #hash = createHash('sha256')
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #bytes = 0

  private constructor(directory: string, segment: number, file: FileHandle, boundary: Boundary) {
    this.#directory = directory
    this.segment = segment
    this.#file = file
    this.#boundary = boundary
  }

  static async open(directory: string, segment: number, boundary: Boundary): Promise<SegmentWriter> {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const file = await open(join(directory, segmentName(segment) + unfinished), 'w', 0o600)
    return new SegmentWriter(directory, segment, file, boundary)
  }

  /** so far, in `bytes` */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a line; gives the place that it will have. */
  async add(text: string): Promise<BodyRef> {
    const line = Buffer.from(`${text}\n`)
    const ref: BodyRef = { segment: this.segment, offset: this.#bytes, length: line.length - 1 }
    this.#hash.update(line)
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    this.#bytes += line.length
    if (this.#waitingBytes >= bufferBytes) await this.#flush()
    return ref
  }

  /** Everything is on the disk, under the segment's own name, when this resolves. Gives the file's SHA-256, in hex. */
  async finish(): Promise<string> {
    const path = join(this.#directory, segmentName(this.segment))
    this.#boundary('before writing the segment')
    await this.#flush()
    this.#boundary('after writing the segment')
    this.#boundary('before syncing the segment')
    await this.#file.sync()
    await this.#file.close()
    this.#boundary('after syncing the segment')
    this.#boundary('before naming the segment')
    await rename(path + unfinished, path)
    this.#boundary('after naming the segment')
    // The directory too may be new.
    this.#boundary('before syncing the archive')
    for (const directory of [this.#directory, dirname(this.#directory)]) await syncDirectory(directory)
    this.#boundary('after syncing the archive')
    return this.#hash.digest('hex')
  }

  /** Takes back what was not finished. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {
      // It was closed already: what failed came later.
    })
    await rm(join(this.#directory, segmentName(this.segment) + unfinished), { force: true })
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting.splice(0))
    this.#waitingBytes = 0
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at)
      at += bytesWritten
    }
  }
}

/** Makes names in a directory survive a crash of the host. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
