import { snapshotsOf } from '../../machines/index.ts'
import { hasAgent, reachGuest } from '../guest/reach.ts'
import { setGuestRight } from '../guest/set-right.ts'
import { messageOf } from './failures.ts'
import type { Task } from './task.ts'

/** Feature of a VMM that runs no guests, in which nothing could be set right. */
const guestless = 'none'

/**
 * Sets right the guest of a VM that was restored, and tells that it is ready. A clone that keeps another box's identity
 * is none: its start has failed. One without an agent says by itself that it is ready, as after a boot.
 */
export async function renewGuest({ box, signal }: Task): Promise<void> {
  const { input, context } = box
  const { origin } = snapshotsOf(context)
  if (origin === null || !hasAgent(context.spec)) return
  const isClone = origin.box !== input.box
  try {
    if ((await box.client.ping({ signal })).features?.includes(guestless))
      return await box.tell({ type: 'guest.ready' })
    const { home, incarnation } = input
    const channel = await reachGuest({ home, box: input.box, incarnation, spec: context.spec }, signal)
    try {
      const hostname = isClone ? (context.name ?? input.box) : undefined
      await setGuestRight(channel, { hostname }, signal)
    } finally {
      channel.close()
    }
  } catch (error) {
    if (isClone && !signal.aborted)
      await box.tell({ type: 'start.failed', code: 'GUEST_UNREACHABLE', message: messageOf(error) })
    return
  }
  if (!signal.aborted) await box.tell({ type: 'guest.ready' })
}
