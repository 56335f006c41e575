import { type BoxSpec, readyOf, snapshotsOf } from '../../machines/index.ts'
import { connectGuest } from '../guest/channel.ts'
import { hasAgent } from '../guest/reach.ts'
import type { Incarnation } from './incarnation.ts'
import { pause } from './wait.ts'

/** How long an agent that does not answer yet is left alone, in `ms`. */
const restMs = 20

/** Whether it is the agent in the guest that says that the guest is ready. */
export function isAgentAsked(spec: BoxSpec): boolean {
  return readyOf(spec) === 'guest' && hasAgent(spec)
}

/** Asks the agent in the guest, from a boot on, until it answers: then commands can be run, and the guest is ready. */
export class AgentWatch {
  readonly #box: Incarnation
  #asking: AbortController | undefined
  #isTold: boolean
  #hasRebooted = false

  constructor(box: Incarnation) {
    this.#box = box
    const { spec, seen } = box.context
    this.#isTold = !isAgentAsked(spec) || seen.ready
  }

  /** The guest has booted, or is found as one that has. */
  booted(): void {
    // Of a guest that was restored it is told when it has been set right. What it begins with is known by now.
    if (!this.#hasRebooted && snapshotsOf(this.#box.context).origin !== null) return
    if (this.#isTold || this.#asking || this.#box.closed.aborted) return
    const asking = new AbortController()
    this.#asking = asking
    this.#ask(AbortSignal.any([asking.signal, this.#box.closed])).catch(() => {}) // Closed
  }

  /** The guest boots again: what was asked is void, and it will be ready again. */
  rebooted(): void {
    this.#asking?.abort()
    this.#asking = undefined
    this.#isTold = !isAgentAsked(this.#box.context.spec)
    this.#hasRebooted = true
    this.booted()
  }

  async #ask(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const channel = await connectGuest(this.#box.files.vsock, signal, { holds: false })
        channel.close()
        if (signal.aborted) return
        this.#isTold = true
        await this.#box.tell({ type: 'guest.ready' })
        return
      } catch {
        await pause(restMs, signal, { ref: false }) // nobody listens yet; or Closed, which ends it
      }
    }
  }
}
