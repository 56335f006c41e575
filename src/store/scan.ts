import type { Database } from './database.ts'
import type { Range } from './keys.ts'

export interface ScanOptions {
  readonly snapshot?: ReturnType<Database['snapshot']>
}

/** Each page is fetched by another thread, and to wake that costs as much as to read hundreds of entries. */
const pageSize = 2_048
/** Without it a page ends after 16 KiB. */
const pageBytes = 4 << 20

/** Entries of a range in pages: awaiting each entry costs more than reading it. */
export function entryPages(
  db: Database,
  range: Range,
  options: ScanOptions = {},
): AsyncGenerator<[string, string][]> {
  return pagesOf(() => db.iterator({ ...range, ...options, highWaterMarkBytes: pageBytes }))
}

/** Keys of a range in pages. */
export function keyPages(db: Database, range: Range, options: ScanOptions = {}): AsyncGenerator<string[]> {
  return pagesOf(() => db.keys({ ...range, ...options, highWaterMarkBytes: pageBytes }))
}

/** Entries of a range that has at most so many, if nothing strange lies between them. */
export async function entriesOf(
  db: Database,
  range: Range,
  size: number,
  options: ScanOptions = {},
): Promise<[string, string][]> {
  const iterator = db.iterator({ ...range, ...options, highWaterMarkBytes: pageBytes })
  try {
    const entries: [string, string][] = []
    // Asked for one more, it finds out at once that there is none.
    for (let page = await iterator.nextv(size + 1); page.length > 0; page = await iterator.nextv(size + 1))
      entries.push(...page)
    return entries
  } finally {
    await iterator.close()
  }
}

interface Pages<T> {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}

/** The next page is read while one is worked on. */
async function* pagesOf<T>(open: () => Pages<T>): AsyncGenerator<T[]> {
  const iterator = open()
  try {
    for (let next = iterator.nextv(pageSize); ; ) {
      const page = await next
      if (page.length === 0) return
      next = iterator.nextv(pageSize)
      next.catch(() => {
        // Told when it is its turn, if anybody is left to hear of it.
      })
      yield page
    }
  } finally {
    await iterator.close()
  }
}
