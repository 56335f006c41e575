import { Client } from '../cloud-hypervisor/client.ts'
import type { Incarnation } from './incarnation.ts'
import { pause } from './wait.ts'

/** Time between an answer and the next question, in `ms`. */
const restMs = 1_000

/** Silence after which a VMM does not respond, in `ms`. */
const silentMs = 2_000

/** Silence after which nothing is known of a VMM, in `ms`. */
const lostMs = 30_000

/**
 * Asks a VMM that is not otherwise occupied whether it answers, over a connection of its own. Silence is not death, and
 * not even trouble while an own call is under way: the VMM does one thing at a time.
 */
export class Heartbeat {
  readonly #box: Incarnation
  readonly #client: Client
  readonly #heard = new Set<() => void>()
  #isBeating = false
  #isResponding = true

  constructor(box: Incarnation) {
    this.#box = box
    this.#client = new Client(box.files.socket)
    box.closed.addEventListener('abort', () => this.#client.close(), { once: true })
  }

  /** Begins, once. */
  begin(): void {
    if (this.#isBeating) return
    this.#isBeating = true
    void this.#beat().catch(() => {}) // Closed: nobody wants to know any more
  }

  /** It has answered, to whomever. */
  answered(): void {
    if (this.#isResponding) return
    this.#isResponding = true
    this.#box.input.onResponding?.(true)
    for (const note of this.#heard) note()
  }

  end(): void {
    this.#isBeating = false
    this.#client.close()
  }

  /** Resolves when the VMM answers after it did not, or after so long, or when the signal fires. */
  async answerOr(ms: number, signal: AbortSignal): Promise<void> {
    const wake = new AbortController()
    const note = () => wake.abort()
    this.#heard.add(note)
    await pause(ms, AbortSignal.any([signal, wake.signal]))
    this.#heard.delete(note)
  }

  async #beat(): Promise<void> {
    const { client, closed, input } = this.#box
    let silentSince: number | undefined
    let lost = false
    const rest = () => pause(restMs, closed, { ref: false })
    for (await rest(); this.#isBeating && !closed.aborted; await rest()) {
      if (client.isBusy) {
        silentSince = undefined
        continue
      }
      const began = performance.now()
      const answered = await this.#ask()
      if (!this.#isBeating || closed.aborted) return
      if (answered) {
        silentSince = undefined
        lost = false
        this.answered()
        continue
      }
      if (client.isBusy) continue
      silentSince ??= began
      if (this.#isResponding) {
        this.#isResponding = false
        input.onResponding?.(false)
      }
      if (performance.now() - silentSince < lostMs || lost || !this.#isSteady()) continue
      lost = true
      await this.#box.tell({ type: 'box.unknown', reason: 'the VMM lives, but has not answered for 30 s' })
    }
  }

  async #ask(): Promise<boolean> {
    try {
      await this.#client.ping({ signal: this.#box.closed, limitMs: silentMs })
      return true
    } catch {
      return false // in whatever way; the watch tells a death
    }
  }

  /** Nothing is under way that has limits of its own. */
  #isSteady(): boolean {
    const { stop, failure, next, unknownReason } = this.#box.context
    return stop === null && failure === null && next === null && unknownReason === null
  }
}
