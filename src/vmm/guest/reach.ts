import { BoxError, type BoxSpec } from '../../machines/index.ts'
import { runFiles } from '../files/paths.ts'
import { connectGuest, type GuestChannel } from './channel.ts'

export interface GuestPlace {
  readonly home: string
  readonly box: string
  readonly incarnation: number
  readonly spec: BoxSpec
}

/** How long an agent may take to listen, in `ms`: a guest is ready a little before it does. */
const patienceMs = 10_000
/** It is asked again after an eighth of what it has taken already. */
const asksPerWait = 8

/** Whether an agent listens in the guest of a box: in the built-in one it does, in others where that is said. */
export function hasAgent({ image, agent }: BoxSpec): boolean {
  return typeof image === 'object' ? image.agent === true : agent !== false
}

/** UNSUPPORTED */
export function agentMissing(box: string): BoxError {
  return new BoxError(
    'UNSUPPORTED',
    `There is no agent in the guest of box ${box}: its image is not said to have one`,
  )
}

/**
 * A new session with the agent of a guest that is up; `first` as for {@link connectGuest}.
 *
 * @throws BoxError UNSUPPORTED for a guest without an agent, GUEST_UNREACHABLE if it does not answer within 10 s,
 * ABORTED when the signal fires
 */
export async function reachGuest(
  { home, box, incarnation, spec }: GuestPlace,
  signal: AbortSignal,
  first?: (channel: GuestChannel) => void,
): Promise<GuestChannel> {
  if (!hasAgent(spec)) throw agentMissing(box)
  const { vsock } = runFiles(home, box, incarnation)
  const began = performance.now()
  for (;;) {
    try {
      return await connectGuest(vsock, signal, { first })
    } catch (cause) {
      if (signal.aborted) throw new BoxError('ABORTED', 'The wait for the guest was given up', { cause })
      if (performance.now() - began > patienceMs) {
        const message = `The agent in the guest of box ${box} does not answer: ${(cause as Error).message}`
        throw new BoxError('GUEST_UNREACHABLE', message, { cause })
      }
    }
    await new Promise(resolve => setTimeout(resolve, 1 + (performance.now() - began) / asksPerWait))
  }
}
