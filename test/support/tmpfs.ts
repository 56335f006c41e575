import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { withTempDir } from './tmp.ts'

/** A small file system in memory, of its own. */
export interface Tmpfs {
  /** where it is mounted */
  readonly dir: string
  /** Makes it so large, in `MiB`. */
  resize(mib: number): void
}

/** Whether a file system can be mounted here: by root, as a rule. */
export const canMount = (): boolean =>
  // In a namespace of its own, so that it is gone again whatever happens.
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' }).status === 0

/** Runs the body with a file system of so many `MiB`; see `needsMount`. */
export const withTmpfs = <T>(mib: number, body: (disk: Tmpfs) => T | Promise<T>): Promise<T> =>
  withTempDir(async parent => {
    const dir = path.join(parent, 'disk')
    mkdirSync(dir)
    mount('-t', 'tmpfs', '-o', `size=${mib}m`, 'none', dir)
    try {
      return await body({ dir, resize: size => mount('-o', `remount,size=${size}m`, dir) })
    } finally {
      execFileSync('umount', ['--lazy', dir])
    }
  })

const mount = (...words: string[]): void => void execFileSync('mount', words)
