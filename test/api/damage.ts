import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

/** Changes one byte of every value whose key holds `part`, in a home that nobody has open. */
export async function damage(home: string, part: string): Promise<void> {
  const db = new ClassicLevel<string, Buffer>(join(home, 'ledger'), { valueEncoding: 'buffer' })
  await db.open()
  for await (const [key, value] of db.iterator())
    if (key.includes(part)) {
      const changed = Buffer.from(value)
      changed.writeUInt8(changed.readUInt8(20) ^ 1, 20)
      await db.put(key, changed)
    }
  // What was there before is in no older file any more.
  await db.compactRange('', '~')
  await db.close()
}
