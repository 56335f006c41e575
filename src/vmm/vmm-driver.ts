import { fromCallback } from 'xstate'
import { DriverActor } from './actor/driver-actor.ts'
import type { DriverEvent, DriverInput, Hands } from './driver.ts'
import { removeBoxFiles } from './files/remove.ts'
import { reachGuest } from './guest/reach.ts'
import { runsOnHost } from './host/runs.ts'
import { vmmLooks } from './looks.ts'
import { removeSnapshot } from './snapshots/remove.ts'

/**
 * The driver of one incarnation, as an actor: told effects, telling facts. It is never persisted; for an incarnation of
 * an earlier engine it is made anew and told to look. Stopping it lets go of the VMM without touching it.
 */
export const vmmDriver = fromCallback<DriverEvent, DriverInput>(({ input, receive }) => {
  const driver = new DriverActor(input)
  receive(event => driver.receive(event))
  return () => driver.close()
})

/** The hands that act on real VMMs. */
export const vmmHands: Hands = {
  driver: vmmDriver,
  runs: runsOnHost,
  reach: reachGuest,
  looks: vmmLooks,
  removeSnapshot,
  removeFiles: removeBoxFiles,
}
