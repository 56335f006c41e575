import { randomUUID } from 'node:crypto'
import { busy, notDelivered } from '../engine/index.ts'
import type { LedgerRecord } from '../machines/index.ts'
import { check, shapes } from './options.ts'
import type { DurableSubscription, SubscriptionOptions } from './subscriptions.ts'

/** What is asked for, checked, by one consumer. */
export interface SubscriptionRequest {
  readonly consumer: string
  readonly options: Omit<SubscriptionOptions, 'signal'>
  readonly signal: AbortSignal
}

/** The home, or its owner. */
export interface SubscriptionSource {
  records(request: SubscriptionRequest): AsyncGenerator<LedgerRecord, void, undefined>
  acknowledge(consumer: string, position: number): Promise<void>
  /** frees the name, if this consumer has it */
  leave(consumer: string): Promise<void>
}

/** The same for both ways in: one consumer of a durable subscription. */
export class Subscription implements DurableSubscription {
  readonly name: string
  readonly #options: SubscriptionOptions
  readonly #source: SubscriptionSource
  readonly #consumer = randomUUID()
  #isClosed = false
  /** last position that was given out */
  #delivered = 0
  /** ends what iterates */
  #iterating: AbortController | undefined
  #own: AsyncGenerator<LedgerRecord, void, undefined> | undefined

  constructor(name: string, options: SubscriptionOptions, source: SubscriptionSource) {
    this.name = name
    this.#options = options
    this.#source = source
  }

  async ack(position: number): Promise<void> {
    check(shapes.name, this.name, 'name')
    check(shapes.position, position, 'position')
    if (position > this.#delivered) throw notDelivered(position)
    await this.#source.acknowledge(this.#consumer, position)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end()
    await this.#endOwn()
  }

  next(): Promise<IteratorResult<LedgerRecord, void>> {
    this.#own ??= this[Symbol.asyncIterator]()
    return this.#own.next()
  }

  async return(): Promise<IteratorResult<LedgerRecord, void>> {
    if (this.#own !== undefined) await this.#end()
    await this.#endOwn()
    return { done: true, value: undefined }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LedgerRecord, void, undefined> {
    const { name } = this
    check(shapes.name, name, 'name')
    const { signal, ...options } = check(shapes.subscription, this.#options, 'options') as SubscriptionOptions
    if (this.#isClosed) return
    if (this.#iterating !== undefined) throw busy(name)
    const iterating = new AbortController()
    this.#iterating = iterating
    const left = new AbortController()
    const leave = () => left.abort()
    const abort = () => left.abort(signal?.reason)
    iterating.signal.addEventListener('abort', leave)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    let isOver = false
    try {
      const request = { consumer: this.#consumer, options, signal: left.signal }
      for await (const record of this.#source.records(request)) {
        if (iterating.signal.aborted) return
        this.#delivered = Math.max(this.#delivered, record.position)
        yield record
        if (iterating.signal.aborted) return
      }
      isOver = true
    } catch (error) {
      isOver = true
      if (!iterating.signal.aborted) throw error
    } finally {
      signal?.removeEventListener('abort', abort)
      // Else it was ended, and the name is free.
      if (this.#iterating === iterating) {
        this.#iterating = undefined
        if (!isOver) await this.#source.leave(this.#consumer)
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #endOwn(): Promise<void> {
    const own = this.#own
    this.#own = undefined
    await own?.return()
  }

  async #end(): Promise<void> {
    const iterating = this.#iterating
    if (iterating === undefined) return
    this.#iterating = undefined
    iterating.abort()
    await this.#source.leave(this.#consumer)
  }
}
