import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Archive, segmentFile } from '../archive/archive.ts'
import { segmentsIn } from '../archive/leftovers.ts'
import type { Database } from '../database.ts'
import { type FileDamage, salvage } from '../salvage/salvage.ts'
import { Stash } from './stash.ts'

/** Most damages that are told. */
const maxDamages = 1_000

/** Reads all that the files of a home still say, its archive included, into a database. Gives the damage on the way. */
export async function gather(home: string, archive: Archive, scratch: Database): Promise<FileDamage[]> {
  const damages = new Map<string, FileDamage>()
  const onDamage = (damage: FileDamage) => {
    if (damages.size < maxDamages) damages.set(`${damage.file}\0${damage.message}`, damage)
  }
  const stash = new Stash(scratch, archive)
  for (const found of salvage(join(home, 'ledger'), onDamage)) await stash.take(found)
  for (const segment of segmentsIn(archive.directory)) {
    const file = segmentFile(segment)
    try {
      const lines = readFileSync(join(home, file), 'utf8').split('\n')
      for (const line of lines) if (line !== '') await stash.take({ text: line })
    } catch (error) {
      onDamage({ file, message: `it cannot be read: ${error instanceof Error ? error.message : error}` })
    }
  }
  await stash.flush()
  return [...damages.values()]
}
