import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { ImageError, throwIfAborted } from './image-error.ts'

const pauseMs = 100

export interface BuildLockOptions {
  readonly signal?: AbortSignal | undefined
  /** Told once if another holds the lock */
  readonly onWait?: () => void
  /** Time limit in `ms`; default fifteen minutes, for slow mirrors */
  readonly timeoutMs?: number
}

/**
 * Holds an exclusive lock on a file while `work` runs, against other processes and other calls in this one. The kernel
 * drops it with the process.
 */
export async function withBuildLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal, onWait, timeoutMs = 900_000 }: BuildLockOptions = {},
): Promise<T> {
  const file = await open(path, 'a', 0o600)
  try {
    const end = performance.now() + timeoutMs
    for (let tries = 0; !tryLock(file.fd); tries++) {
      if (tries === 0) onWait?.()
      throwIfAborted(signal, 'waiting for another build of the image')
      if (performance.now() > end) {
        throw new ImageError('BOOT_FAILED', `Another build of the image holds ${path} for ${timeoutMs} ms.`, {
          path,
        })
      }
      // An abort wakes the pause; the check above then reports it.
      await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {})
    }
    return await work()
  } finally {
    await file.close()
  }
}
