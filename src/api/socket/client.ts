import { setTimeout as delay } from 'node:timers/promises'
import { BoxError } from '../../machines/index.ts'
import { bodyOf, type Exchange, exchange, linesOf, OwnerLost } from './request.ts'
import { fromWire, type OwnerInfo, type WireError } from './wire.ts'

/** How long a client waits for a new owner, in `ms`. */
const defaultPatienceMs = 30_000
/** How long an owner may leave a simple question unanswered, in `ms`. */
export const silenceMs = 10_000
/** How long a call may take before its owner is asked whether it lives, in `ms`. */
const watchMs = 5_000
/** How often an owner's end may cut off a call: one that ends each of its owners is not asked for ever. */
const maxCuts = 3

/** What a client does while there is no owner. */
export interface Hooks {
  /** how long it waits for one, in `ms`; default 30 s */
  readonly patienceMs?: number
  /** tried meanwhile: may make one */
  readonly takeOver?: () => Promise<void>
}

export interface ClientOptions extends Hooks {
  readonly socket: string
}

interface Wait {
  readonly signal?: AbortSignal | undefined
  /** false: the wait keeps no process alive */
  readonly holds?: boolean
}

/** Asks the owner of a home, whichever process that is by now. */
export class OwnerClient {
  readonly #options: ClientOptions
  readonly #live = new Set<Exchange>()
  readonly #opening = new Set<Promise<unknown>>()
  #found: Promise<void> | undefined
  #closed = false

  constructor(options: ClientOptions) {
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Who owns the home; rejects with `OwnerLost` at once if nobody does, after 10 s if it is silent. */
  async owner(): Promise<OwnerInfo> {
    const made = exchange({ socket: this.#options.socket, method: 'GET', path: '/v1/owner', holds: true })
    const timer = setTimeout(() => made.request.destroy(new Error('no answer in 10 s')), silenceMs)
    try {
      const { value } = (await bodyOf(await made.response)) as { value: OwnerInfo }
      return value
    } finally {
      clearTimeout(timer)
      made.request.destroy()
    }
  }

  /** A call's value. What it asks for must be safe to ask for again. */
  async call<T>(path: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    this.#assertOpen()
    // A stream that was asked for before sees what this call does.
    await Promise.all(this.#opening)
    for (let cuts = 0; ; ) {
      try {
        return (await this.#ask(path, args, signal)) as T
      } catch (error) {
        if (!(error instanceof OwnerLost)) throw error
        if (error.reached) cuts += 1
        if (cuts > maxCuts) throw noOwner('Owners of the home ended before they had answered', error)
        await this.#nextOwner(signal, error)
      }
    }
  }

  /**
   * A stream's values; `argsOf` says where it is to go on each time that it has to be asked for. Ends when the stream
   * is over or the client closes.
   */
  async *stream<T>(
    path: string,
    argsOf: () => readonly unknown[],
    { signal, holds = true }: Wait = {},
  ): AsyncGenerator<T, void, undefined> {
    this.#assertOpen()
    while (!this.#closed) {
      try {
        const made = this.#begin(path, argsOf(), holds)
        const undo = this.#endWith(made, signal)
        try {
          for await (const line of linesOf(await this.#opened(made))) {
            const error = (line as { error?: WireError } | null)?.error
            if (error !== undefined) throw fromWire(error)
            yield line as T
          }
          return
        } finally {
          undo()
        }
      } catch (error) {
        if (signal?.aborted) throw aborted(signal)
        if (!(error instanceof OwnerLost)) throw error
        if (this.#closed) return
        await this.#nextOwner(signal, error).catch(reason => {
          if (!this.#closed) throw reason
        })
      }
    }
  }

  /** Ends all waits and streams; the owner goes on. */
  close(): void {
    this.#closed = true
    for (const { request } of this.#live) request.destroy()
  }

  async #ask(path: string, args: readonly unknown[], signal: AbortSignal | undefined): Promise<unknown> {
    this.#assertOpen()
    if (signal?.aborted) throw aborted(signal)
    const made = this.#begin(path, args, true)
    const undo = this.#endWith(made, signal)
    const watch = this.#watch(made)
    try {
      const { value, error } = (await bodyOf(await made.response)) as { value?: unknown; error?: WireError }
      if (error === undefined) return value
      // It was closing: the next one is asked.
      if (error.code === 'ENGINE_CLOSED') throw new OwnerLost(false, fromWire(error))
      throw fromWire(error)
    } catch (error) {
      if (this.#closed) throw closed()
      if (signal?.aborted) throw aborted(signal)
      throw error
    } finally {
      clearInterval(watch)
      undo()
    }
  }

  #begin(path: string, args: readonly unknown[], holds: boolean): Exchange {
    return exchange({ socket: this.#options.socket, method: 'POST', path: `/v1${path}`, body: args, holds })
  }

  /** Until the stream has begun, calls wait: what they do is to be seen in it. */
  async #opened({ response }: Exchange) {
    const opening = response.then(
      () => {},
      () => {},
    )
    this.#opening.add(opening)
    try {
      return await response
    } finally {
      this.#opening.delete(opening)
    }
  }

  #endWith(made: Exchange, signal: AbortSignal | undefined): () => void {
    const abort = () => made.request.destroy()
    this.#live.add(made)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    return () => {
      this.#live.delete(made)
      signal?.removeEventListener('abort', abort)
      made.request.destroy()
    }
  }

  /** An owner that is alive answers simple questions while it works; one that does not is given up. */
  #watch({ request }: Exchange): NodeJS.Timeout {
    let asking = false
    return setInterval(() => {
      if (asking) return
      asking = true
      this.owner().then(
        () => {
          asking = false
        },
        cause => {
          request.destroy(cause)
        },
      )
    }, watchMs).unref()
  }

  /** Resolves when there is an owner that answers; all who wait for one wait together. */
  async #nextOwner(signal: AbortSignal | undefined, lost: OwnerLost): Promise<void> {
    this.#found ??= this.#find(lost).finally(() => {
      this.#found = undefined
    })
    if (signal === undefined) return this.#found
    let abort = () => {}
    const left = new Promise<never>((_, reject) => {
      abort = () => reject(aborted(signal))
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
    })
    try {
      await Promise.race([this.#found, left])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #find(lost: OwnerLost): Promise<void> {
    const { patienceMs = defaultPatienceMs, takeOver } = this.#options
    const end = performance.now() + patienceMs
    for (;;) {
      this.#assertOpen()
      try {
        await this.owner()
        return
      } catch (error) {
        if (!(error instanceof OwnerLost)) throw error
      }
      if (performance.now() >= end)
        throw noOwner(`The home has had no owner that answers for ${patienceMs / 1000} s`, lost)
      await takeOver?.()
      await delay(20 + Math.random() * 60)
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw closed()
  }
}

export function noOwner(message: string, cause?: unknown): BoxError {
  return new BoxError('NO_OWNER', message, { cause })
}

export function aborted(signal: AbortSignal): BoxError {
  return new BoxError('ABORTED', 'The wait was aborted; what was asked for may still happen', {
    cause: signal.reason,
  })
}

function closed(): BoxError {
  return new BoxError('ENGINE_CLOSED', 'The runtime was closed')
}
