import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Carved, Salvaged } from './entry.ts'
import { readLog } from './log-file.ts'
import { readTable } from './table-file.ts'

/** Something in a file that could not be read, or not as it was written. */
export interface FileDamage {
  readonly file: string
  readonly message: string
}

/**
 * Reads all that the files of a LevelDB still say, without LevelDB, which would write to them before it opens, skips
 * what its checksums do not fit, and does not open at all where CURRENT or MANIFEST are lost. In no order; every value
 * that a key ever had may come, so that `sequence` has to decide.
 */
export function* salvage(
  directory: string,
  onDamage: (damage: FileDamage) => void,
): Generator<Salvaged | Carved> {
  // `lost` is where LevelDB's own repair puts what it has given up.
  for (const folder of ['', 'lost']) {
    const at = join(directory, folder)
    if (!existsSync(at)) continue
    for (const name of readdirSync(at).sort()) {
      const read = /\.(ldb|sst)$/.test(name) ? readTable : /\.log$/.test(name) ? readLog : undefined
      if (read === undefined) continue
      const file = join('ledger', folder, name)
      let bytes: Buffer
      try {
        bytes = readFileSync(join(at, name))
      } catch (error) {
        onDamage({ file, message: `it cannot be read: ${error instanceof Error ? error.message : error}` })
        continue
      }
      yield* read(bytes, message => onDamage({ file, message }))
    }
  }
}
