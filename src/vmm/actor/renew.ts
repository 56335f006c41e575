import { isTemplate, snapshotsOf } from '../../machines/index.ts'
import type { GuestChannel } from '../guest/channel.ts'
import { hasAgent, reachGuest } from '../guest/reach.ts'
import { setGuestRight } from '../guest/set-right.ts'
import { takesName } from '../images/cmdline.ts'
import { messageOf } from './failures.ts'
import { guestFor } from './needs.ts'
import type { Task } from './task.ts'

/** Feature of a VMM that runs no guests, in which nothing could be set right. */
const guestless = 'none'

/**
 * Sets right the guest of a VM that was restored, and tells that it is ready. One that keeps another box's identity, or
 * that of its template, is none: its start has failed. One without an agent says by itself that it is ready, as after a boot.
 */
export async function renewGuest({ box, signal }: Task): Promise<void> {
  const { input, context } = box
  const { origin } = snapshotsOf(context)
  if (origin === null || !hasAgent(context.spec)) return
  const isOther = isTemplate(origin) || origin.box !== input.box
  try {
    if ((await box.client.ping({ signal })).features?.includes(guestless))
      return await box.tell({ type: 'guest.ready' })
    const { home, incarnation } = input
    const { cmdline } = await guestFor(box, signal)
    const name = context.name ?? input.box
    // An image that takes no name has its own, also when it boots.
    const hostname = isOther && (!isTemplate(origin) || takesName(cmdline)) ? name : undefined
    let isSetRight = Promise.resolve()
    const first = (reached: GuestChannel) => {
      isSetRight = setGuestRight(reached, { isOther, hostname, uuid: box.uuid }, signal)
      isSetRight.catch(() => {}) // told below, if it is this guest that has answered
    }
    const place = { home, box: input.box, incarnation, spec: context.spec }
    const channel = await reachGuest(place, signal, first)
    try {
      await isSetRight
    } finally {
      channel.close()
    }
  } catch (error) {
    if (isOther && !signal.aborted)
      await box.tell({ type: 'start.failed', code: 'GUEST_UNREACHABLE', message: messageOf(error) })
    return
  }
  if (!signal.aborted) await box.tell({ type: 'guest.ready' })
}
