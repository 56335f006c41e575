import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { type FileHandle, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Boundary, noBoundary } from '../../machines/index.ts'
import { makeOwnFile, openOwnFile } from './own-file.ts'
import type { RunFiles } from './paths.ts'

/**
 * Files that a guest or a VMM can make grow are cut while they grow. A VMM writes on where it was: after the cut the
 * file has a hole there, which takes no room on the disk, and offsets stay true. The end of what was cut off is kept as
 * `NAME.cut-OFFSET`, where OFFSET is that at which it ended, and at which the file goes on. What is written in the moment
 * of the cut is lost: the hole goes beyond OFFSET then.
 */
export interface Growing {
  readonly path: string
  /** written at its end, whatever that is: after a cut it begins anew */
  readonly appended?: boolean
  /** stays when the file is cut, in `bytes` from its start */
  readonly head?: number
}

/** What of the event monitor's file is kept from its start: how the boot went. In `bytes`. */
export const eventHead = 64 << 10

/** How large a file may be before it is cut, in `bytes`. */
export const longestBytes = 16 << 20
/** How much room it may take then, in `bytes`: file systems allot some in advance. */
const mostOnDisk = 4 * longestBytes
const blockBytes = 512
/** What is kept of the end of what was cut off, in `bytes`. */
export const keptBytes = 1 << 20

/** All that grows in a run directory. */
export function growingFiles({ serial, command, log, stdout, stderr, events }: RunFiles): readonly Growing[] {
  return [
    { path: serial },
    { path: command },
    { path: log },
    { path: stdout, appended: true },
    { path: stderr, appended: true },
    { path: events, head: eventHead },
  ]
}

/**
 * Cuts what takes too much room, all files being of one directory; gives the offsets at which those go on that were cut.
 * A file that cannot be looked at just now keeps no other from being cut. It is done often, and mostly in vain: then it
 * costs some microseconds.
 */
export async function cutLongFiles(
  files: readonly Growing[],
  boundary: Boundary = noBoundary,
): Promise<ReadonlyMap<string, number>> {
  const cut = new Map<string, number>()
  const [first] = files
  const names = first === undefined ? [] : namesBeside(first.path)
  for (const file of files) {
    const found = lstatSync(file.path, { throwIfNoEntry: false })
    if (found === undefined || (!takesRoom(found, 0) && cutsOf(file.path, names).length === 0)) continue
    const offset = await cutIfLong(file, names, boundary).catch(() => undefined)
    if (offset !== undefined) cut.set(file.path, offset)
  }
  return cut
}

/** Blocks alone do not tell: a file system may count them only later. They tell of a VMM that fills the hole. */
function takesRoom({ size, blocks }: Stats, offset: number): boolean {
  return size - offset > longestBytes || blocks * blockBytes > mostOnDisk
}

async function cutIfLong(
  { path, appended = false, head = 0 }: Growing,
  names: readonly string[],
  boundary: Boundary,
): Promise<number | undefined> {
  const file = await openOwnFile(path, 'r+')
  if (file === undefined) return undefined
  try {
    const found = await file.stat()
    const size = Math.min(found.size, Number.MAX_SAFE_INTEGER)
    let cut = newest(path, names)
    if (cut && cut.offset > 0 && (appended || (cut.offset > size && size > head))) {
      // Not there, but from its start it went on: once seen, it stays known.
      const known = `${path}.cut-0`
      boundary('before renaming the kept end')
      await rename(cut.path, known)
      boundary('after renaming the kept end')
      cut = { path: known, offset: 0 }
    }
    if (!takesRoom(found, cut?.offset ?? 0)) return undefined
    await keep(path, size, file, boundary)
    boundary('before cutting a file')
    await file.truncate(head)
    boundary('after cutting a file')
    return size
  } finally {
    await file.close()
  }
}

async function keep(path: string, offset: number, from: FileHandle, boundary: Boundary): Promise<void> {
  const draft = `${path}.cut`
  boundary("before keeping a file's end")
  await rm(draft, { force: true, recursive: true })
  const end = Buffer.alloc(keptBytes)
  const { bytesRead } = await from.read(end, 0, keptBytes, offset - keptBytes)
  const file = await makeOwnFile(draft)
  try {
    // On a full disk nothing is kept, and the cut makes room.
    await file.writeFile(end.subarray(0, bytesRead)).catch(() => file.truncate())
  } finally {
    await file.close()
  }
  const kept = `${path}.cut-${offset}`
  boundary("after keeping a file's end")
  boundary('before naming the kept end')
  await rename(draft, kept)
  boundary('after naming the kept end')
  // Not before: killed in between, the console would lose what was kept.
  await forgetCuts(path, boundary, kept)
}

/** The file is begun anew, or has another cut: earlier ones have nothing to do with it. */
export async function forgetCuts(path: string, boundary: Boundary, except?: string): Promise<void> {
  for (const cut of cutsOf(path, namesBeside(path))) {
    if (cut.path === except) continue
    boundary('before forgetting an older end')
    await rm(cut.path, { force: true, recursive: true })
    boundary('after forgetting an older end')
  }
}

export interface Cut {
  readonly path: string
  readonly offset: number
}

/** The last cut of a file, and where the file goes on after it: where it was, or at its start if it is appended to. */
export function lastCut(path: string, head = 0): Cut | undefined {
  const cut = newest(path, namesBeside(path))
  const size = cut && lstatSync(path, { throwIfNoEntry: false })?.size
  return cut === undefined || size === undefined || size <= head || size >= cut.offset
    ? cut
    : { ...cut, offset: 0 }
}

function namesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/**
 * There are two for a moment, or where an engine was killed in between. Time tells which is the last, since a file that is
 * appended to does not grow from cut to cut.
 */
function newest(path: string, names: readonly string[]): Cut | undefined {
  const cuts = cutsOf(path, names)
  if (cuts.length < 2) return cuts[0]
  const timeOf = (cut: Cut) => lstatSync(cut.path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return cuts.sort((a, b) => timeOf(b) - timeOf(a) || b.offset - a.offset)[0]
}

function cutsOf(path: string, names: readonly string[]): Cut[] {
  const prefix = `${basename(path)}.cut-`
  return names
    .filter(name => name.startsWith(prefix) && /^\d{1,16}$/.test(name.slice(prefix.length)))
    .map(name => ({ path: join(dirname(path), name), offset: Number(name.slice(prefix.length)) }))
}
