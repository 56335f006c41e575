import { type FSWatcher, watch } from 'node:fs'

/** A net under the watch, which may lose changes; alone it serves where there are no watches left. In `ms`. */
const pollMs = 1_000
const pollAloneMs = 200

/** Calls back when something in a directory may have changed; stops by `close`. */
export class DirWatch {
  readonly #timer: NodeJS.Timeout
  #watcher: FSWatcher | undefined

  /** @param persistent keeps this process alive, as somebody who waits for what comes wants it */
  constructor(dir: string, onChange: () => void, { persistent = false } = {}) {
    try {
      this.#watcher = watch(dir, { persistent }, onChange)
      this.#watcher.on('error', () => this.#watcher?.close()) // the poll goes on
    } catch (error) {
      // ENOSPC, EMFILE: no watches left; ENOENT: the directory is gone, and reading will tell.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
    this.#timer = setInterval(onChange, this.#watcher ? pollMs : pollAloneMs)
    if (!persistent) this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#watcher?.close()
  }
}
