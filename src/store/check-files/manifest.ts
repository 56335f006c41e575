import { Cursor } from '../leveldb/cursor.ts'

/** A table as the manifest knows it. */
export interface TableEntry {
  readonly number: number
  /** in `bytes` */
  readonly size: number
}

/** What the manifest says belongs to the database. */
export interface Version {
  /** the oldest log that is not in tables yet; 0: none was ever begun */
  readonly log: number
  readonly tables: readonly TableEntry[]
}

const tag = { comparator: 1, log: 2, nextFile: 3, lastSequence: 4, compactPointer: 5, deleted: 6, added: 7 }
const previousLog = 9

/** Applies the edits that a manifest is made of; undefined if one of them makes no sense. */
export function versionOf(edits: readonly Buffer[]): Version | undefined {
  const tables = new Map<number, TableEntry>()
  let log = 0
  let isWhole = false
  for (const edit of edits) {
    const cursor = new Cursor(edit)
    const gone: number[] = []
    const come: TableEntry[] = []
    while (!cursor.isDone) {
      const kind = cursor.varint()
      if (kind === tag.log) log = cursor.varint()
      else if (kind === tag.nextFile || kind === tag.lastSequence || kind === previousLog) {
        cursor.varint()
        isWhole ||= kind === tag.nextFile
      } else if (kind === tag.comparator) cursor.string()
      else if (kind === tag.compactPointer) {
        cursor.varint()
        cursor.string()
      } else if (kind === tag.deleted) {
        cursor.varint()
        gone.push(cursor.varint())
      } else if (kind === tag.added) {
        cursor.varint()
        come.push({ number: cursor.varint(), size: cursor.varint() })
        cursor.string()
        cursor.string()
      } else return undefined
    }
    if (!cursor.ok) return undefined
    // A table that moves to another level goes and comes in one edit.
    for (const number of gone) tables.delete(number)
    for (const table of come) tables.set(table.number, table)
  }
  // The first edit of a manifest has tables only; a second one always comes with it.
  return isWhole ? { log, tables: [...tables.values()] } : undefined
}
