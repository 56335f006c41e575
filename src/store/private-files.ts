import { chmodSync, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Level } from 'level'

/**
 * Files that LevelDB makes can be read by everybody who may enter their directory, which is nobody else; they are made
 * 0600 all the same, as they appear, so that a directory that is opened or copied later gives nothing away. The umask,
 * which would do, is the whole process's.
 */
export function keepPrivate(db: Level<string, string>, directory: string): void {
  let watcher: FSWatcher | undefined
  const begin = () => {
    watcher = watchNew(directory)
    for (const name of namesIn(directory)) hide(directory, name)
  }
  db.on('open', begin)
  db.on('closed', () => watcher?.close())
  begin()
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    // The disk has failed: who opens the database must not fail here, with the database left open behind them.
    return []
  }
}

function watchNew(directory: string): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, (event, name) => {
      // That a file was hidden is a change too.
      if (event === 'rename' && name !== null) hide(directory, name)
    })
    return watcher.on('error', () => watcher.close())
  } catch {
    // No watches left: the files that are there are hidden now, and new ones at the next opening.
    return undefined
  }
}

function hide(directory: string, name: string): void {
  const path = join(directory, name)
  try {
    // A file that is private is left alone: its time of change tells that nobody has touched it.
    if ((statSync(path).mode & 0o777) !== 0o600) chmodSync(path, 0o600)
  } catch {
    // It is gone again already, or the disk has failed, which reads and writes tell.
  }
}
