import type { Database } from './database.ts'
import type { Range } from './keys.ts'

export interface ScanOptions {
  readonly snapshot?: ReturnType<Database['snapshot']>
}

const pageSize = 512
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
