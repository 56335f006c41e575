import { Cursor } from '../leveldb/cursor.ts'
import { type BlockEntry, entryIn } from '../leveldb/table-format.ts'

/** Entries of an unpacked block, in order; undefined if any part of it makes no sense. */
export function entriesOf(content: Buffer): BlockEntry[] | undefined {
  if (content.length < 4) return undefined
  const restarts = content.readUInt32LE(content.length - 4)
  const end = content.length - 4 - restarts * 4
  if (end < 0) return undefined
  const entries: BlockEntry[] = []
  const wholeKeys = new Set<number>()
  const cursor = new Cursor(content, 0, end)
  while (!cursor.isDone) {
    const { at } = cursor
    const entry = entryIn(cursor, entries.at(-1)?.key ?? Buffer.alloc(0))
    if (entry === undefined) return undefined
    if (entry.shared === 0) wholeKeys.add(at)
    entries.push(entry)
  }
  for (let n = 0; n < restarts; n += 1) {
    const restart = content.readUInt32LE(end + n * 4)
    const before = n === 0 ? -1 : content.readUInt32LE(end + n * 4 - 4)
    const isRight = n === 0 ? restart === 0 : restart > before && wholeKeys.has(restart)
    if (!isRight) return undefined
  }
  return entries
}
