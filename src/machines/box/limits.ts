import { snapshotsOf } from '../snapshots.ts'
import type { BoxSpec } from '../spec.ts'
import type { BoxContext, StopIntent } from '../state.ts'

/** How long a start waits for its guest, in `ms`. */
export const guestReadyLimit = 60_000

/** How long a VMM may take to write or to read a VM's memory, in `ms`: a minute, and 4 s for each GiB. */
export const memoryLimit = ({ memoryMib }: BoxSpec): number => 60_000 + 4 * memoryMib

/** How long a VM may be held to be saved, in `ms`: as long as its memory takes, and 20 s for each GiB of its own disks. */
export const saveLimit = (context: BoxContext): number =>
  memoryLimit(context.spec) + 20 * (snapshotsOf(context).saving?.disksMib ?? 0)

/** How long a press of the button may take, in `ms`: half of the grace, and no more than is left of the whole. */
export const halfOfGrace = (stop: StopIntent | null, at: number): number => {
  if (stop === null) return 0
  const left = stop.timeoutMs - (at - stop.askedAt)
  return Math.max(0, Math.min(Math.ceil(stop.timeoutMs / 2), left))
}
