import { realpathSync, statSync } from 'node:fs'
import type { Boundary } from '../machines/index.ts'
import { decodeSealed, seal } from './codec.ts'
import type { Database } from './database.ts'
import { homeKey } from './keys.ts'

/** By what a directory is known again: a copy has another inode and birth, and mostly another path. */
export interface HomeIdentity {
  readonly path: string
  readonly inode: string
  /** in `ns since 1970`; where the file system has none, it is that of the last change */
  readonly birth: string
}

export function identityOf(home: string): HomeIdentity {
  const { ino, birthtimeNs } = statSync(home, { bigint: true })
  return { path: realpathSync(home), inode: String(ino), birth: String(birthtimeNs) }
}

/**
 * Two of three must fit: a home that is renamed keeps inode and birth; on a file system that gives inodes anew with each
 * mount, path and birth stay; without births, path and inode.
 */
function isSame(a: HomeIdentity, b: HomeIdentity): boolean {
  return [a.path === b.path, a.inode === b.inode, a.birth === b.birth].filter(Boolean).length >= 2
}

/** Whether the ledger is at home here. One that was copied, or whose entry is damaged, is not; a new one is. */
export async function isAtHome(db: Database, here: HomeIdentity, boundary: Boundary): Promise<boolean> {
  const sealed = await db.get(homeKey)
  if (sealed === undefined) {
    await settle(db, here, boundary)
    return true
  }
  const known = decodeSealed(sealed) as HomeIdentity | undefined
  return known !== undefined && isSame(known, here)
}

/** Makes this directory the ledger's home. */
export async function settle(db: Database, here: HomeIdentity, boundary: Boundary): Promise<void> {
  boundary('before settling the home')
  await db.put(homeKey, seal(JSON.stringify(here)), { sync: true })
  boundary('after settling the home')
}
