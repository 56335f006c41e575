import type { Dirent } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { findMounts, removeMounts } from './mounts.ts'
import { awaitNone, describeProcess, killAll, type Mark } from './processes.ts'

const NAMED = 20

export interface Leftovers {
  readonly named: readonly string[]
  /** What could not be removed */
  readonly stuck: readonly string[]
}

/**
 * Names and removes what a test file left: processes that do not end by themselves within `graceMs`, mounts, and whatever
 * is in its directory. The directory goes as well.
 */
export const removeLeftovers = async (mark: Mark, graceMs: number): Promise<Leftovers> => {
  const { dir } = mark
  const named: string[] = []
  const stuck: string[] = []

  // 1. Processes first: they make files.
  for (const left of await awaitNone(mark, graceMs)) named.push(describeProcess(left))
  for (const left of await killAll(mark)) stuck.push(`cannot be killed: ${describeProcess(left)}`)

  // 2. Mounts before files: what is mounted is not ours to delete.
  for (const point of findMounts(dir)) named.push(`mount ${point}`)
  const mounted = await removeMounts(dir)
  stuck.push(...mounted.map(what => `cannot be unmounted: ${what}; ${dir} is kept`))
  if (mounted.length > 0) return { named, stuck }

  // 3. Files.
  try {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    for (const entry of entries.slice(0, NAMED)) {
      named.push(`${kind(entry)} ${path.join(entry.parentPath, entry.name)}`)
    }
    if (entries.length > NAMED) named.push(`${entries.length - NAMED} more files`)
    await rm(dir, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    stuck.push(`cannot be deleted: ${dir}: ${String(error)}`)
  }
  return { named, stuck }
}

const kind = (entry: Dirent): string => {
  if (entry.isDirectory()) return 'directory'
  if (entry.isSocket()) return 'socket'
  if (entry.isFIFO()) return 'pipe'
  return entry.isSymbolicLink() ? 'link' : 'file'
}
