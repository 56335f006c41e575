import { readFileSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { seal, unseal } from '../codec.ts'

/**
 * Remembers which tables were whole when they were last looked at, so that opening a home costs no look at all of its
 * history: a table is never written again.
 */
export interface CheckedTables {
  /** what tells that a file has not been touched since; undefined: there is no such file */
  stampOf(file: string): Promise<string | undefined>
  has(file: string, stamp: string): boolean
  add(file: string, stamp: string): void
  /** writes the list; without room on the disk there is none */
  keep(): void
}

export function checkedTablesIn(directory: string): CheckedTables {
  const path = join(directory, 'checked')
  const before = readList(path)
  const now = new Map<string, string>()
  return {
    async stampOf(file) {
      try {
        const { size, ino, mtimeNs, ctimeNs } = await stat(join(directory, file), { bigint: true })
        return [size, ino, mtimeNs, ctimeNs].join(' ')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    has(file, stamp) {
      const isChecked = before.get(file) === stamp
      if (isChecked) now.set(file, stamp)
      return isChecked
    },
    add: (file, stamp) => now.set(file, stamp),
    keep() {
      try {
        writeFileSync(path, seal(JSON.stringify([...now])), { mode: 0o600 })
      } catch {
        // It only saves time: half a list is no list, since its checksum is wrong.
      }
    },
  }
}

function readList(path: string): Map<string, string> {
  try {
    return new Map(JSON.parse(unseal(readFileSync(path, 'utf8')) ?? '[]') as [string, string][])
  } catch {
    // Whatever is wrong with it, all tables are looked at then.
    return new Map()
  }
}
