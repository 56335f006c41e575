import { randomBytes } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A file that only takes up room, to be thrown away when the disk is full: LevelDB has to write before it opens, up to
 * the size of its log once more, so that a home on a full disk could not even be read.
 */
export interface Ballast {
  /** false: there was none */
  drop(): boolean
  /** Makes it if it is not there; false if the disk has no room for it. */
  make(): Promise<boolean>
}

const mib = 1 << 20
/** twice LevelDB's log */
const wanted = 8 * mib

export function ballastAt(path: string): Ballast {
  return {
    drop() {
      if (sizeOf(path) === 0) return false
      rmSync(path, { force: true })
      return true
    },
    async make() {
      const { blocks, bsize } = await statfs(dirname(path))
      // A small disk is there for records first.
      const size = Math.min(wanted, Math.floor((blocks * bsize) / 4))
      if (sizeOf(path) === size) return true
      const file = await open(path, 'w', 0o600)
      try {
        // Some file systems do not store zeros.
        const chunk = randomBytes(Math.min(size, mib))
        for (let at = 0; at < size; ) {
          const { bytesWritten } = await file.write(chunk, 0, Math.min(chunk.length, size - at), at)
          at += bytesWritten
        }
        return true
      } catch {
        // Whatever the reason, there is no ballast, which the caller is told.
        await rm(path, { force: true })
        return false
      } finally {
        await file.close()
      }
    },
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
