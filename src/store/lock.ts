import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { BoxError } from '../machines/index.ts'

/** Who has a home open, as the lock file tells it. */
export interface LockOwner {
  readonly pid: number
  /** field 22 of /proc/PID/stat, where there is one: a pid alone may be another's by now */
  readonly startTime: string | null
  readonly since: string
}

export interface Lock {
  release(): void
}

/** of the lock file, in `bytes` */
const size = 256

/** How long a lock is tried that somebody has who has not told his name, in `ms`. */
const patienceMs = 2_000

/**
 * Takes the home, or throws `ENGINE_LOCKED` naming its owner.
 *
 * The proof of ownership is the kernel's lock on the open file, which ends with its process however that ends;
 * the file's content only tells who it is. LevelDB's own LOCK can be lost by anybody in the process who opens and
 * closes that file, and is not used.
 */
export async function takeLock(path: string, now: () => number): Promise<Lock> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    await take(path, () => tryLock(fd))
    const owner: LockOwner = {
      pid: process.pid,
      startTime: startTimeOf(process.pid),
      since: new Date(now()).toISOString(),
    }
    tell(fd, `${JSON.stringify(owner)}\n`)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      tell(fd, '')
      closeSync(fd)
    },
  }
}

/** Overwritten in place, not cut off: on a full disk there would be no room for the next owner's name. */
function tell(fd: number, text: string): void {
  try {
    writeSync(fd, text.padEnd(size), 0)
  } catch {
    // Only the name is missing then, and others are refused without it.
  }
}

/**
 * Keeps a home from being taken while it is read as it lies, without changing anything in it. Throws `ENGINE_LOCKED`
 * while somebody has it. A home that was never opened has no lock, and is not watched.
 */
export async function keepStill(path: string): Promise<Lock> {
  if (!existsSync(path)) return { release() {} }
  const fd = openSync(path, constants.O_RDONLY)
  try {
    await take(path, () => tryLock(fd, 0, 0, { shared: true }))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { release: () => closeSync(fd) }
}

/**
 * Tries until it has the lock, or knows a living owner. A new owner writes its name just after it took the lock; and of
 * one that was killed a fork may be left that has the lock too, until it becomes the program that it was to be.
 */
async function take(path: string, tryOnce: () => boolean): Promise<void> {
  for (const end = performance.now() + patienceMs; !tryOnce(); ) {
    const owner = readOwner(path)
    if (owner && (owner.startTime === null || owner.startTime === startTimeOf(owner.pid)))
      throw new BoxError(
        'ENGINE_LOCKED',
        `The home is open in process ${owner.pid} since ${owner.since}. Close it there, or talk to it`,
        { details: { pid: owner.pid, startTime: owner.startTime, since: owner.since, lock: path } },
      )
    if (performance.now() > end)
      throw new BoxError('ENGINE_LOCKED', 'The home is open in another process', { details: { lock: path } })
    await delay(5)
  }
}

function readOwner(path: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as LockOwner
    return Number.isSafeInteger(owner.pid) ? owner : undefined
  } catch {
    // Half written or not written yet; the caller looks again.
    return undefined
  }
}

function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the program's name, may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // It has ended, and nobody has waited for it yet.
    if (fields[0] === 'Z' || fields[0] === 'X') return null
    return fields[19] ?? null
  } catch {
    // No such process, or no /proc on this system.
    return null
  }
}
