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
