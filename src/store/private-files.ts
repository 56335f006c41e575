import { chmodSync, type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

/**
 * Files that LevelDB makes can be read by everybody who may enter their directory, which is nobody else; they are made
 * 0600 all the same, as they appear, so that a directory that is opened or copied later gives nothing away. The umask,
 * which would do, is the whole process's.
 */
export function keepPrivate(directory: string): { close(): void } {
  const hide = (name: string) => {
    try {
      chmodSync(join(directory, name), 0o600)
    } catch {
      // It is gone again already, or the disk has failed, which reads and writes tell.
    }
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, { persistent: false }, (event, name) => {
      // That a file was hidden is a change too.
      if (event === 'rename' && name !== null) hide(name)
    })
    watcher.on('error', () => watcher?.close())
  } catch {
    // No watches left: those that are there now are hidden, and the others at the next opening.
  }
  for (const name of readdirSync(directory)) hide(name)
  return { close: () => watcher?.close() }
}
