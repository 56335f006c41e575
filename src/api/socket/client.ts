import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import { aborted, assertWanted, closedError, keptAlive, unlessAborted } from '../../engine/index.ts'
import { BoxError } from '../../machines/index.ts'
import { Patience } from './patience.ts'
import { bodyOf, type Exchange, exchange, linesOf, OwnerLost, upgraded } from './request.ts'
import { type Answer, fromWire, type OwnerInfo, type WireError } from './wire.ts'

/** How long a client waits for a new owner, in `ms`. */
const defaultPatienceMs = 30_000
/** How long an owner may leave a simple question unanswered, in `ms`. */
export const silenceMs = 10_000
/** How long a call may take before its owner is asked whether it lives, in `ms`. */
const watchMs = 5_000
/** How often an owner may die of a call, as it seems: one that kills each of its owners is not asked for ever. Who takes
 * over himself dies of it as well. */
const mostDeaths = 10

/** What a client does while there is no owner. */
export interface Hooks {
  /** how long it waits for one, in `ms`; default 30 s */
  readonly patienceMs?: number
  /** tried meanwhile: may make one. Gives the `ENGINE_LOCKED` if somebody else has the home */
  readonly takeOver?: () => Promise<BoxError | undefined>
}

export interface ClientOptions extends Hooks {
  readonly socket: string
}

export interface StreamWait {
  readonly signal?: AbortSignal | undefined
  /** false: the wait keeps no process alive; default true */
  readonly holds?: boolean
  /** it is not asked for again: what it does must not be done twice */
  readonly once?: boolean
  /** it goes on until it is left: closing the client ends it in good order, and not before its time */
  readonly follow?: boolean
}

/** Asks the owner of a home, whichever process that is by now. */
export class OwnerClient {
  readonly #options: ClientOptions
  readonly #live = new Set<Exchange>()
  readonly #opening = new Set<Promise<unknown>>()
  readonly #left = new AbortController()
  /** connections that were taken over */
  readonly #taken = new Set<Socket>()
  #found: Promise<void> | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    // Every connection that is being made listens.
    setMaxListeners(0, this.#left.signal)
  }

  get isClosed(): boolean {
    return this.#left.signal.aborted
  }

  /** Who owns the home; rejects with `OwnerLost` at once if nobody does, after 10 s if it is silent. */
  async owner({ holds = true } = {}): Promise<OwnerInfo> {
    const made = exchange({ socket: this.#options.socket, method: 'GET', path: '/v1/owner', holds })
    const timer = setTimeout(() => made.request.destroy(new Error('no answer in 10 s')), silenceMs)
    if (!holds) {
      timer.unref()
      made.request.once('socket', socket => socket.unref())
    }
    try {
      const { value } = (await bodyOf(await made.response)) as { value: OwnerInfo }
      return value
    } finally {
      clearTimeout(timer)
      made.request.destroy()
    }
  }

  /** A call's answer, its error too. What it asks for must be safe to ask for again. */
  async call(path: string, args: readonly unknown[], signal?: AbortSignal): Promise<Answer> {
    assertWanted(signal)
    this.assertOpen()
    // A stream that was asked for before sees what this call does.
    await Promise.all(this.#opening)
    for (let deaths = 0; ; ) {
      try {
        return await this.#ask(path, args, signal)
      } catch (error) {
        if (!(error instanceof OwnerLost)) throw error
        if (error.reached && this.#options.takeOver === undefined) deaths += 1
        if (deaths >= mostDeaths) throw noOwner('Owners of the home ended before they had answered', error)
        await this.#nextOwner(error, { signal })
      }
    }
  }

  /**
   * A stream's values; `argsOf` says where it is to go on each time that it has to be asked for, at as many owners as
   * there are. Ends when the stream is over, or was followed and the client closes.
   */
  async *stream<T>(
    path: string,
    argsOf: () => readonly unknown[],
    wait: StreamWait = {},
  ): AsyncGenerator<T, void, undefined> {
    const { signal, holds = true, follow = false, once = false } = wait
    assertWanted(signal)
    this.assertOpen()
    for (;;) {
      try {
        const made = this.#begin(path, argsOf(), holds)
        const undo = this.#endWith(made, signal)
        try {
          for await (const line of linesOf(await this.#opened(made))) {
            const error = (line as { error?: WireError } | null)?.error
            if (error !== undefined) throw fromWire(error)
            yield line as T
            assertWanted(signal)
          }
          return
        } finally {
          undo()
        }
      } catch (error) {
        if (signal?.aborted) throw aborted(signal)
        if (!(error instanceof OwnerLost)) throw error
        if (once && error.reached) throw noOwner('The owner of the home ended before it was done', error)
        if (this.isClosed && follow) return
        await this.#nextOwner(error, wait).catch(reason => {
          if (!this.isClosed || !follow) throw reason
        })
        if (this.isClosed) return
      }
    }
  }

  /** A connection of its own, that the owner has taken over. Until then nothing was asked for. */
  async upgrade(path: string, protocol: string, signal?: AbortSignal): Promise<Socket> {
    assertWanted(signal)
    this.assertOpen()
    for (;;) {
      try {
        const socket = await upgraded({
          socket: this.#options.socket,
          path: `/v1${path}`,
          protocol,
          limitMs: silenceMs,
          signal: signal === undefined ? this.#left.signal : AbortSignal.any([signal, this.#left.signal]),
        })
        this.#taken.add(socket)
        socket.once('close', () => this.#taken.delete(socket))
        return socket
      } catch (error) {
        this.assertOpen()
        assertWanted(signal)
        if (!(error instanceof OwnerLost)) throw error
        await this.#nextOwner(error, { signal })
      }
    }
  }

  /** Ends all waits and streams; the owner goes on. */
  close(): void {
    this.#left.abort()
    for (const { request } of this.#live) request.destroy()
    for (const socket of this.#taken) socket.destroy()
  }

  assertOpen(): void {
    if (this.isClosed) throw closedError()
  }

  async #ask(path: string, args: readonly unknown[], signal: AbortSignal | undefined): Promise<Answer> {
    this.assertOpen()
    assertWanted(signal)
    const made = this.#begin(path, args, true)
    const undo = this.#endWith(made, signal)
    const watch = this.#watch(made)
    try {
      const answer = (await bodyOf(await made.response)) as Answer
      // It was closing: the next one is asked.
      if (answer.error?.code === 'ENGINE_CLOSED') throw new OwnerLost(false, fromWire(answer.error))
      return answer
    } catch (error) {
      this.assertOpen()
      assertWanted(signal)
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
      const found = await response
      if (found.statusCode === 200) return found
      throw fromWire(((await bodyOf(found)) as { error: WireError }).error)
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
  async #nextOwner(lost: OwnerLost, { signal, holds = true }: StreamWait): Promise<void> {
    this.#found ??= this.#find(lost).finally(() => {
      this.#found = undefined
    })
    using _alive = holds ? keptAlive() : undefined
    await unlessAborted(this.#found, signal)
  }

  /** Who waits for it keeps the process alive, or nobody does. */
  async #find(lost: OwnerLost): Promise<void> {
    const { patienceMs = defaultPatienceMs, takeOver } = this.#options
    const patience = new Patience(patienceMs)
    for (;;) {
      this.assertOpen()
      try {
        await this.owner({ holds: false })
        return
      } catch (error) {
        if (!(error instanceof OwnerLost)) throw error
      }
      if (patience.isOver)
        throw noOwner(`The home has had no owner that answers for ${patienceMs / 1000} s`, lost)
      const refusal = await takeOver?.()
      if (refusal !== undefined) patience.refused(refusal)
      await patience.pause({ ref: false, signal: this.#left.signal }).catch(error => {
        this.assertOpen()
        throw error
      })
    }
  }
}

export function noOwner(message: string, cause?: unknown): BoxError {
  return new BoxError('NO_OWNER', message, { cause })
}
