import type { Database } from './database.ts'
import type { Range } from './keys.ts'

export interface ScanOptions {
  readonly snapshot?: ReturnType<Database['snapshot']>
}

const pageSize = 512
/** Without it a page ends after 16 KiB. */
const pageBytes = 4 << 20

/** Entries of a range in pages: awaiting each entry costs more than reading it. */
export async function* entryPages(
  db: Database,
  range: Range,
  options: ScanOptions = {},
): AsyncGenerator<[string, string][]> {
  const iterator = db.iterator({ ...range, ...options, highWaterMarkBytes: pageBytes })
  try {
    for (let page = await iterator.nextv(pageSize); page.length > 0; page = await iterator.nextv(pageSize))
      yield page
  } finally {
    await iterator.close()
  }
}

/** Keys of a range in pages. */
export async function* keyPages(
  db: Database,
  range: Range,
  options: ScanOptions = {},
): AsyncGenerator<string[]> {
  const iterator = db.keys({ ...range, ...options, highWaterMarkBytes: pageBytes })
  try {
    for (let page = await iterator.nextv(pageSize); page.length > 0; page = await iterator.nextv(pageSize))
      yield page
  } finally {
    await iterator.close()
  }
}
