import { BoxError, type Head, type LedgerRecord } from '../machines/index.ts'
import { keptAlive } from './alive.ts'

/** Looks at a box after each of its records; undefined: wait on; throw: give up. */
export type Test<T> = (head: Head, record: LedgerRecord | undefined) => T | undefined

interface Waiter {
  readonly look: (head: Head, record: LedgerRecord | undefined) => void
  readonly fail: (error: BoxError) => void
}

/** Callers who wait for a box to get somewhere. */
export class Waiting {
  readonly #byBox = new Map<string, Set<Waiter>>()
  /** A caller who waits keeps the process alive; a box that runs does not. */
  #alive: Disposable | undefined
  #count = 0
  #closed: (() => BoxError) | undefined

  /** Looks at `head` first, then after each record. */
  async for<T>(head: Head, test: Test<T>, signal?: AbortSignal): Promise<T> {
    assertWanted(signal)
    const now = test(head, undefined)
    if (now !== undefined) return now
    if (this.#closed !== undefined) throw this.#closed()
    return new Promise<T>((resolve, reject) => {
      const waiters = this.#byBox.get(head.box) ?? new Set()
      this.#byBox.set(head.box, waiters)
      const end = () => {
        waiters.delete(waiter)
        if (waiters.size === 0 && this.#byBox.get(head.box) === waiters) this.#byBox.delete(head.box)
        signal?.removeEventListener('abort', abort)
        this.#hold(-1)
      }
      const fail = (error: unknown) => {
        end()
        reject(error)
      }
      const abort = () => fail(aborted(signal as AbortSignal))
      const look = (next: Head, record: LedgerRecord | undefined) => {
        try {
          const found = test(next, record)
          if (found === undefined) return
          end()
          resolve(found)
        } catch (error) {
          fail(error)
        }
      }
      const waiter: Waiter = { look, fail }
      waiters.add(waiter)
      signal?.addEventListener('abort', abort)
      this.#hold(1)
    })
  }

  tell(head: Head, record?: LedgerRecord): void {
    const waiters = this.#byBox.get(head.box)
    if (waiters !== undefined) for (const waiter of [...waiters]) waiter.look(head, record)
  }

  /** Keeps the process alive for a caller who waits for more than one thing, until it is disposed of or all is over. */
  hold(): Disposable {
    let isHeld = this.#closed === undefined
    if (isHeld) this.#hold(1)
    return {
      [Symbol.dispose]: () => {
        if (isHeld && this.#closed === undefined) this.#hold(-1)
        isHeld = false
      },
    }
  }

  /** Nothing will change any more: ends all waits, and those that somebody still begins. */
  close(reason: () => BoxError): void {
    this.#closed = reason
    for (const waiters of [...this.#byBox.values()]) for (const waiter of [...waiters]) waiter.fail(reason())
    this.#hold(-this.#count)
  }

  #hold(change: number): void {
    this.#count += change
    if (this.#count === 0) {
      this.#alive?.[Symbol.dispose]()
      this.#alive = undefined
    } else this.#alive ??= keptAlive()
  }
}

/** Waits for something that cannot be called off, as long as somebody wants it. */
export async function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait
  let abort = () => {}
  const given = new Promise<never>((_, reject) => {
    abort = () => reject(aborted(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([wait, given])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Begins something unless nobody wants it any more, and waits for it as long as somebody does. */
export async function whileWanted<T>(signal: AbortSignal | undefined, begin: () => Promise<T>): Promise<T> {
  assertWanted(signal)
  return unlessAborted(begin(), signal)
}

export function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}

/** What every wait rejects with, and every stream, when its signal fires, or has fired before it began. */
export function aborted(signal: AbortSignal): BoxError {
  return new BoxError('ABORTED', 'The wait was aborted; what was asked for may still happen', {
    cause: signal.reason,
  })
}
