import { readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { lastBytes } from './last-lines.ts'

/**
 * Files that a guest can make grow are cut while they grow. The VMM writes on where it was: after the cut the file
 * begins with a hole, which takes no room on the disk. The end of what was cut off is kept as `NAME.cut-OFFSET`, where
 * OFFSET is that at which the file goes on.
 */

const longestBytes = 16 << 20
const keptBytes = 1 << 20

/** Cuts a file if it takes too much room; true if it did. What is written in that moment is lost. */
export async function cutIfLong(path: string): Promise<boolean> {
  try {
    // What the file takes on the disk cannot be asked: a file system may count that only later.
    const long = (await stat(path)).size
    if (long <= longestBytes || long - ((await lastCut(path))?.offset ?? 0) <= longestBytes) return false
    const end = await lastBytes(path, keptBytes)
    const { size } = await stat(path)
    const draft = `${path}.cut`
    await writeFile(draft, end, { mode: 0o600 })
    await forgetCuts(path)
    await rename(draft, `${path}.cut-${size}`)
    await truncate(path, 0)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** The file is begun anew: earlier cuts have nothing to do with it. */
export async function forgetCuts(path: string): Promise<void> {
  for (const cut of await cutsOf(path)) await rm(cut.path, { force: true })
}

/** The last cut of a file, and where the file goes on after it: where it was, or at its start if it is appended to. */
export async function lastCut(
  path: string,
): Promise<{ readonly path: string; readonly offset: number } | undefined> {
  const cut = (await cutsOf(path)).sort((a, b) => b.offset - a.offset)[0]
  if (cut === undefined) return undefined
  const { size } = await stat(path)
  return size === 0 || size >= cut.offset ? cut : { ...cut, offset: 0 }
}

async function cutsOf(path: string): Promise<{ readonly path: string; readonly offset: number }[]> {
  const dir = dirname(path)
  const prefix = `${basename(path)}.cut-`
  return (await readdir(dir))
    .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(name => ({ path: join(dir, name), offset: Number(name.slice(prefix.length)) }))
}
