import { type FileHandle, open } from 'node:fs/promises'
import { lastCut } from './growing.ts'

const pieceBytes = 64 * 1024

/**
 * Reads on in a file that another process writes: what is there now, from where reading ended last. A file that has
 * become shorter was begun anew. Nothing is kept open in between, so that nothing is held against its removal.
 */
export class Tail {
  readonly #path: string
  #at: number

  constructor(path: string, from = 0) {
    this.#path = path
    this.#at = from
  }

  /** Hands out what is new, a piece after the other; `restarted` comes with the first piece of a file begun anew. */
  async *read(): AsyncGenerator<{ readonly bytes: Buffer; readonly restarted: boolean }> {
    const file = await openIfThere(this.#path)
    if (file === undefined) return
    try {
      const { size } = await file.stat()
      let restarted = false
      if (size < this.#at) {
        // Begun anew by the guest's reboot, or cut by us: then it goes on behind a hole.
        this.#at = (await lastCut(this.#path))?.offset ?? 0
        restarted = this.#at === 0
      }
      // To the size as it was at first: against a writer who never stops there must be an end.
      while (this.#at < size) {
        const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, size - this.#at))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#at)
        if (bytesRead === 0) return
        this.#at += bytesRead
        yield { bytes: buffer.subarray(0, bytesRead), restarted }
        restarted = false
      }
    } finally {
      await file.close()
    }
  }

  /** Begins again at the start of the file. */
  rewind(): void {
    this.#at = 0
  }

  /** Takes all that is there now as read. */
  async skip(): Promise<void> {
    const file = await openIfThere(this.#path)
    if (file === undefined) return
    this.#at = (await file.stat().finally(() => file.close())).size
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
