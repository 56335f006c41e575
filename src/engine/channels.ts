import { BoxError, type Head, publicStateOf } from '../machines/index.ts'
import type { GuestChannel, Hands } from '../vmm/index.ts'
import { closedError } from './tail.ts'

interface Session {
  readonly incarnation: number
  readonly end: AbortController
  readonly channel: Promise<GuestChannel>
}

/** Sessions with the agents of guests: one a box, made when it is first wanted, ended with the incarnation. */
export class Channels {
  readonly #home: string
  readonly #reach: Hands['reach']
  readonly #sessions = new Map<string, Session>()
  /** snapshots being made, by box */
  readonly #held = new Map<string, number>()
  #isClosed = false

  constructor(home: string, reach: Hands['reach']) {
    this.#home = home
    this.#reach = reach
  }

  /** Rejects with `INVALID_STATE` unless the box runs, `ENGINE_CLOSED`, and as {@link Hands.reach} does. */
  async of({ box, state: { value, context } }: Head): Promise<GuestChannel> {
    if (this.#isClosed) throw closedError()
    const { incarnation, spec } = context
    const state = publicStateOf(value)
    if (state !== 'running')
      throw new BoxError('INVALID_STATE', `The guest of box ${box} cannot be asked: it is ${state}`, {
        details: { state },
      })
    const known = this.#sessions.get(box)
    if (known?.incarnation === incarnation) return await known.channel
    if (known) this.#end(known)
    const end = new AbortController()
    const channel = this.#reach({ home: this.#home, box, incarnation, spec }, end.signal)
    const session = { incarnation, end, channel }
    this.#sessions.set(box, session)
    const forget = () => {
      if (this.#sessions.get(box) === session) this.#sessions.delete(box)
    }
    channel.then(({ closed }) => {
      if (closed.aborted) forget()
      else closed.addEventListener('abort', forget, { once: true })
    }, forget)
    return await channel
  }

  /**
   * What runs in a guest goes on in those that are made of its snapshots: the agent is told before one is made, if there
   * is a session. Resolves with what is to be called when it is over.
   */
  async hold(box: string): Promise<() => void> {
    const count = (by: 1 | -1) => {
      const held = (this.#held.get(box) ?? 0) + by
      if (held === 0) this.#held.delete(box)
      else this.#held.set(box, held)
      return held
    }
    count(1)
    const channel = await this.#sessions.get(box)?.channel.catch(() => undefined)
    await channel?.stay(true)
    return () => {
      if (count(-1) === 0) void channel?.stay(false)
    }
  }

  /** Ends the session with an incarnation that is over. */
  follow({ box, state: { context } }: Head): void {
    const known = this.#sessions.get(box)
    if (known && (!context.open || known.incarnation !== context.incarnation)) this.#end(known)
  }

  close(): void {
    this.#isClosed = true
    for (const session of this.#sessions.values()) this.#end(session)
  }

  #end({ end, channel }: Session): void {
    end.abort()
    channel.then(
      open => open.close(),
      () => {}, // told to whoever asked for it
    )
  }
}
